/** @file Spectra in a sentence for each model state: what the terminal shows of them. */
import type { Section } from '../../contract/document.ts'
import type { Results, SpectrumTotal } from '../../contract/results.ts'
import { counted, countRange, percent, stateInSentence } from '../../contract/words.ts'
import { listed } from '../blocks.ts'
import { significant } from '../view.ts'

export const spectrumLines = ({ spectrumTotals }: Results): Section[] =>
  listed('Spectra', spectrumTotals.map(spectrumLine))

function spectrumLine(total: SpectrumTotal): string {
  const { intruders, slots, matrices, meanRelativeChange, meanEffectiveRankOfChange: rank } = total
  const { chance, unchanged = 0 } = total
  const byChance = chance ? ` (by chance ${countRange([chance.lowest, chance.highest])})` : ''
  const found = counted(intruders, 'intruder dimension')
  const others = unchanged > 0 ? ` (${unchanged} more are unchanged)` : ''
  const ofChange =
    rank === null ? '' : `, mean effective rank of the change ${significant(rank, 3)}`
  return `${stateInSentence(total)}: ${found} among ${slots} leading directions of ${counted(matrices - unchanged, 'matrix', 'matrices')}${others}${byChance}, mean relative change ${percent(meanRelativeChange)}${ofChange}`
}
