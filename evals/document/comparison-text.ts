/** @file A comparison of two runs for a terminal or a text file: flips first. */
import type { Section } from '../contract/document.ts'
import type { GateResult } from '../contract/gate.ts'
import {
  counted,
  listed,
  percent,
  pValueText,
  signedPoints,
  stateInSentence,
} from '../contract/words.ts'
import { differenceText } from '../findings/gate/comparability.ts'
import type {
  ComparedFlip,
  Comparison,
  ComparisonRow,
  StateName,
} from '../findings/gate/comparison.ts'
import { list, paragraph, section } from './blocks.ts'
import { decidedSections } from './registry.ts'
import { terminalText } from './terminal.ts'

const MOST_FLIPS = 40

type Decided = Omit<GateResult, 'advice'>

export const comparisonText = (comparisons: readonly Comparison[], gate: Decided | null): string =>
  terminalText([...(gate ? decidedSections(gate) : []), ...comparisons.flatMap(comparisonSection)])

function comparisonSection({ before, after, flips, rows }: Comparison): Section[] {
  const said = flips.length === 0 ? 'none' : counted(flips.length, 'reply', 'replies')
  const more = flips.length - MOST_FLIPS
  const shown = [
    ...flips.slice(0, MOST_FLIPS).map(flipText),
    ...(more > 0 ? [`… and ${more} more (--json)`] : []),
    ...(rows.length === 0 ? ['no benchmark and judge is on both sides'] : rows.map(rowText)),
  ]
  const heading = `${stateText(before)} → ${stateText(after)}`
  return section(heading, paragraph(`Flips: ${said}`), list(shown))
}

const stateText = (state: StateName) => `${stateInSentence(state)} of ${state.runId}`

const flipText = ({ benchmark, sampleId, before, after, prompt }: ComparedFlip): string =>
  `${benchmark} ${sampleId}: ${before} → ${after}  ${prompt?.slice(0, 80) ?? ''}`

function rowText(row: ComparisonRow): string {
  const name = `${row.title} (${row.judge})`
  if (row.differences.length > 0) {
    return `${name}: NOT COMPARABLE, they differ in ${listed(row.differences.map(differenceText))}`
  }
  if (row.difference === null) return `${name}: no prompt was decided on both sides`
  const interval = `95 % interval ${signedPoints(row.lower!)} to ${signedPoints(row.upper!)}`
  const isRepeated = row.n > row.prompts
  const size = isRepeated
    ? `n = ${row.n} replies to ${counted(row.prompts, 'prompt')}`
    : `n = ${row.n}`
  const exact = isRepeated ? 'exact by flips of prompts' : 'exact McNemar'
  const test = row.pValue === null ? '' : `; ${exact} ${pValueText(row.pValue)}`
  const holm = row.isSignificant ? ', stands after Holm' : ''
  const change = `${signedPoints(row.difference)} points, ${interval}, ${size}${test}${holm}`
  return `${name}: ${percent(row.before!)} → ${percent(row.after!)} (${change})${remarks(row)}`
}

function remarks({ allowed, unknown, droppedUndecided, unmatched }: ComparisonRow): string {
  const said = [
    ...(allowed.length > 0 ? [`overruled: ${listed(allowed.map(differenceText))}`] : []),
    ...(unknown.length > 0 ? [`not known: ${listed(unknown)}`] : []),
    ...(droppedUndecided > 0 ? [`${counted(droppedUndecided, 'undecided pair')} left out`] : []),
    ...(unmatched > 0 ? [`${unmatched} without a partner`] : []),
  ]
  return said.length === 0 ? '' : `; ${said.join('; ')}`
}
