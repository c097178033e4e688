/** @file A comparison in plain words for a terminal or a text file: flips first. */
import type { GateResult } from '../contract/gate.ts'
import { counted, listed, percent, pValueText, signedPoints } from '../contract/words.ts'
import { differenceText } from '../findings/gate/comparability.ts'
import type {
  ComparedFlip,
  Comparison,
  ComparisonRow,
  StateName,
} from '../findings/gate/comparison.ts'
import { plainText } from './plain-text.ts'

const MOST_FLIPS = 40
const plain = (text: string, length = 400) => plainText(text, length)

type Decided = Omit<GateResult, 'advice'>

export function comparisonText(comparisons: readonly Comparison[], gate: Decided | null): string {
  const decided = gate
    ? [
        `Gate: ${gate.outcome}  ${plain(gate.headline, 2000)}`,
        ...gate.claims.map(
          ({ outcome, sentence }) => `  ${outcome.padEnd(14)}  ${plain(sentence, 2000)}`,
        ),
        '',
      ]
    : []
  return `${[...decided, ...comparisons.flatMap(oneText)].join('\n')}\n`
}

function oneText({ before, after, flips, rows }: Comparison): string[] {
  return [
    `${stateText(before)}  →  ${stateText(after)}`,
    `Flips: ${flips.length === 0 ? 'none' : counted(flips.length, 'reply').replace('replys', 'replies')}`,
    ...flips.slice(0, MOST_FLIPS).map(flipText),
    ...(flips.length > MOST_FLIPS ? [`  … and ${flips.length - MOST_FLIPS} more (--json)`] : []),
    ...(rows.length === 0 ? ['  no benchmark and judge is on both sides'] : rows.map(rowText)),
    '',
  ]
}

const stateText = ({ arm, seed, step, runId }: StateName) =>
  plain(`${arm} (seed ${seed}, step ${step}) of ${runId}`)

function flipText({ benchmark, sampleId, before, after, prompt }: ComparedFlip): string {
  const shown = prompt === null ? '' : `  ${plain(prompt, 80)}`
  return `  ${plain(`${benchmark} ${sampleId}`, 80)}: ${before} → ${after}${shown}`
}

function rowText(row: ComparisonRow): string {
  const name = plain(`${row.title} (${row.judge})`)
  if (row.differences.length > 0) {
    return `  ${name}: NOT COMPARABLE, they differ in ${plain(listed(row.differences.map(differenceText)))}`
  }
  if (row.difference === null) return `  ${name}: no prompt was decided on both sides`
  const interval = `95 % interval ${signedPoints(row.lower!)} to ${signedPoints(row.upper!)}`
  const isRepeated = row.n > row.prompts
  const size = isRepeated
    ? `n = ${row.n} replies to ${counted(row.prompts, 'prompt')}`
    : `n = ${row.n}`
  const exact = isRepeated ? 'exact by flips of prompts' : 'exact McNemar'
  const test = row.pValue === null ? '' : `; ${exact} ${pValueText(row.pValue)}`
  const holm = row.isSignificant ? ', stands after Holm' : ''
  const rates = `${percent(row.before!)} → ${percent(row.after!)} (${signedPoints(row.difference)} points, ${interval}, ${size}${test}${holm})`
  return `  ${name}: ${rates}${remarks(row)}`
}

function remarks({ allowed, unknown, droppedUndecided, unmatched }: ComparisonRow): string {
  const said = [
    ...(allowed.length > 0 ? [`overruled: ${listed(allowed.map(differenceText))}`] : []),
    ...(unknown.length > 0 ? [`not known: ${listed(unknown)}`] : []),
    ...(droppedUndecided > 0 ? [`${counted(droppedUndecided, 'undecided pair')} left out`] : []),
    ...(unmatched > 0 ? [`${unmatched} without a partner`] : []),
  ]
  return said.length === 0 ? '' : `; ${plain(said.join('; '), 2000)}`
}
