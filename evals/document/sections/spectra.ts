/** @file Where in the weights: intruder directions by layer and module, beside what chance gives in the same shapes. */
import type { Section } from '../../contract/document.ts'
import type { HeatMap } from '../../contract/document/charts.ts'
import type { Results, SpectrumTotal } from '../../contract/results.ts'
import type { SpectrumRow } from '../../contract/rows.ts'
import { percent, stateName } from '../../contract/words.ts'
import { details, label, number, paragraph, section, table, type Column } from '../blocks.ts'
import { atLastStep, fixed, significant } from '../view.ts'
import { intruderSurface, leastAligned, linkTable, similarityMaps } from './spectra-details.ts'

export function spectraSection(results: Results): Section[] {
  const { spectra } = results
  if (spectra.length === 0) return []
  const last = atLastStep(spectra)
  const arms = [...Map.groupBy(last, ({ arm }) => arm)]
  return section(
    'Where in the weights',
    paragraph(
      'For each matrix the leading singular directions after fine-tuning are compared with every direction of the pretrained matrix. One whose best alignment c stays below ε is counted as an intruder. Chance is what random updates give that have the singular values of each ΔW, and so its rank and size, in random directions: lowest and highest count, and p = the share of them with at least as many. Where the count lies in that range, rank and size explain it, not what was learnt. The c of one random direction in the tables of matrices is no such range: it predicts no count.',
    ),
    arms.map(([arm, rows]) => armMap(arm, rows)),
    totalsTable(results),
    linkTable(results),
    arms.flatMap(([arm, rows]) => intruderSurface(arm, rows)),
    similarityMaps(arms),
    leastAligned(last),
    details(
      `All ${last.length} matrices`,
      table(last, directionColumns, 'Their directions'),
      table(last, changeColumns, 'Their change'),
    ),
  )
}

/** What changed in sum, for the window's page of causes, which draws the matrices itself. */
export const changeSection = (results: Results): Section[] =>
  section(
    'The change in sum',
    results.spectrumTotals.length > 0 && totalsTable(results),
    linkTable(results),
  )

const unchangedColumn = number<SpectrumTotal>('Unchanged', ({ unchanged = 0 }) => unchanged)

const totalsTable = ({ spectrumTotals }: Results) =>
  table(
    spectrumTotals,
    [
      label('Checkpoint', stateName),
      number('Step', ({ step }) => step),
      number('Matrices', ({ matrices }) => matrices),
      ...(spectrumTotals.some(({ unchanged }) => unchanged) ? [unchangedColumn] : []),
      number('Intruders', ({ intruders, slots }) => `${intruders} of ${slots}`),
      number('By chance', ({ chance }) => rangeText(chance && [chance.lowest, chance.highest])),
      number('p', ({ chance }) => significant(chance?.p ?? null, 2)),
      number('Mean effective rank of ΔW', (row) => significant(row.meanEffectiveRankOfChange, 3)),
      number('Mean ‖ΔW‖ / ‖W‖', ({ meanRelativeChange }) => percent(meanRelativeChange)),
    ],
    'Sums over the matrices of each checkpoint',
  )

interface MapCell {
  readonly value: number
  readonly label: string
  readonly detail: string
}

/** Means over seeds: of intruders, tinted by their share of the directions, or of the change where there is none. */
function armMap(arm: string, rows: readonly SpectrumRow[]): HeatMap {
  const hasIntruders = rows.some(({ intruders }) => intruders > 0)
  const layers = [...new Set(rows.map(({ layer }) => layer))].sort((a, b) => a - b)
  const modules = [...new Set(rows.map(({ module }) => module))]
  const seeds = new Set(rows.map(({ seed }) => seed)).size
  const found = layers.map((layer) =>
    modules.map((module) => {
      const here = rows.filter((row) => row.layer === layer && row.module === module)
      if (here.length === 0) return null
      return hasIntruders ? intruderCell(here) : changeCell(here)
    }),
  )
  const most = hasIntruders ? 1 : Math.max(...found.flat().map((cell) => cell?.value ?? 0)) || 1
  return {
    type: 'heat-map',
    title: `${arm}: ${hasIntruders ? 'intruders' : '‖ΔW‖ / ‖W‖, without any intruder,'} by layer and module${seeds > 1 ? `, mean over ${seeds} seeds` : ''}`,
    rows: layers.map((layer) => `layer ${layer}`),
    columns: modules,
    cells: found.map((row) => row.map((cell) => cell && toCell(cell, most))),
  }
}

const toCell = ({ value, label, detail }: MapCell, most: number) => ({
  ...{ label, detail },
  share: value / most,
})

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function intruderCell(here: readonly SpectrumRow[]): MapCell {
  if (here.every(({ unchanged }) => unchanged)) return unchangedCell(here)
  const mean = meanOf(here.map(({ intruders }) => intruders))
  const slots = here[0]!.alignment.length
  return {
    value: slots === 0 ? 0 : mean / slots,
    label: Number.isInteger(mean) ? String(mean) : mean.toFixed(1),
    detail: `${here[0]!.weight}: ${mean.toFixed(1)} of ${slots}; by chance ${rangeText(here[0]!.details?.nullIntruders)}`,
  }
}

const unchangedCell = ([row]: readonly SpectrumRow[]): MapCell => ({
  ...{ value: 0, label: '–' },
  detail: `${row!.weight}: unchanged, not decomposed`,
})

function changeCell(here: readonly SpectrumRow[]): MapCell {
  if (here.every(({ unchanged }) => unchanged)) return unchangedCell(here)
  const value = meanOf(here.map(({ relativeChange }) => relativeChange))
  const ranks = here.flatMap(({ effectiveRankOfChange }) => effectiveRankOfChange ?? [])
  const rank = ranks.length === 0 ? '' : `; effective rank ${significant(meanOf(ranks), 3)}`
  return { value, label: percent(value), detail: `${here[0]!.weight}: ${percent(value)}${rank}` }
}

const bandText = ({ nullBand: [low, high] }: Pick<SpectrumRow, 'nullBand'>) =>
  `${low.toFixed(3)} – ${high.toFixed(3)}`

const rangeText = (counts: readonly number[] | null | undefined) =>
  counts ? `${Math.min(...counts)} – ${Math.max(...counts)}` : '–'

const powerLawText = (details: SpectrumRow['details']) =>
  details?.powerLaw ? `${details.powerLaw.alpha.toFixed(2)} (${details.powerLaw.tail} σ)` : '–'

/** The least or the greatest of some numbers, or null of none. */
const extreme = (of: 'min' | 'max', values: readonly number[] = []): number | null =>
  values.length === 0 ? null : Math[of](...values)

const whichMatrix: readonly Column<SpectrumRow>[] = [
  label('Checkpoint', stateName),
  number('Layer', ({ layer }) => layer),
  label('Module', ({ module }) => module),
]

/** Two tables, because one would be wider than a page. */
const directionColumns: readonly Column<SpectrumRow>[] = [
  ...whichMatrix,
  number('Intruders', ({ intruders, alignment }) => `${intruders} of ${alignment.length}`),
  number('By chance', ({ details: more }) => rangeText(more?.nullIntruders)),
  number('Their energy', ({ intruderEnergyShare }) => percent(intruderEnergyShare)),
  number('Lowest c', ({ alignment }) => fixed(extreme('min', alignment), 3)),
  number('P(random direction ≥ c)', ({ nullP }) => significant(extreme('max', nullP), 2)),
  number('c of one random direction', bandText),
  number('ε', ({ epsilon }) => epsilon),
]
const changeColumns: readonly Column<SpectrumRow>[] = [
  ...whichMatrix,
  number('Shape', ({ shape }) => shape.join(' × ')),
  number('‖ΔW‖ / ‖W‖', ({ relativeChange }) => percent(relativeChange)),
  number('Effective rank of ΔW', (row) => significant(row.effectiveRankOfChange, 3)),
  number('Stable rank of W', ({ details: more }) => fixed(more?.stableRank, 2)),
  number('Of ΔW', ({ details: more }) => fixed(more?.stableRankOfChange, 2)),
  number('Least subspace energy', ({ details: more }) =>
    fixed(extreme('min', more?.subspaceEnergy), 3),
  ),
  number('Power-law α', ({ details: more }) => powerLawText(more)),
]
