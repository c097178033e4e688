/** @file What a finished run found, in plain words for a terminal. Every word of a model or a file is made plain first. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { GateResult } from '../contract/gate.ts'
import type { CorrectedRate, Evaluation, Results, SpectrumTotal } from '../contract/results.ts'
import type { Sweep } from '../contract/sweeps.ts'
import { counted, percent } from '../contract/words.ts'
import { plainText } from './plain-text.ts'

const plain = (text: string) => plainText(text, 2000)

/** Whether there is a verdict to speak of: something was compared with a base. */
export const hasVerdict = ({ verdict, comparisons }: Results): boolean =>
  verdict.findings.length > 0 || comparisons.length > 0

export function verdictText(results: Results, files: readonly string[]): string {
  const { verdict, spectrumTotals, evaluations, sweep, gate } = results
  if (sweep) return sweepText(sweep, files)
  const isJudged = hasVerdict(results)
  const says = isJudged ? [`${verdict.outcome}  ${plain(verdict.headline)}`] : []
  return sections([
    ...(gate ? gateParts(gate) : []),
    ['', says],
    [
      'Findings',
      verdict.findings.map(({ outcome, sentence }) => `${outcome.padEnd(12)}  ${sentence}`),
    ],
    ['Rates', isJudged ? [] : evaluations.map(rateLine)],
    ['Corrected for the judges’ errors', correctedLines(results)],
    ['Spectra', spectrumTotals.map(spectrumLine)],
    ['Notes', isJudged ? verdict.notes : []],
    ['Files', files],
  ])
}

function gateParts(gate: GateResult): [string, string[]][] {
  const { outcome, headline, claims, lastSafe, advice, allowedDifferences } = gate
  const allowed = allowedDifferences.join(', ')
  return [
    ['', [`Gate: ${outcome}  ${plain(headline)}`]],
    ['Claims', claims.map((claim) => `${claim.outcome.padEnd(14)}  ${claim.sentence}`)],
    [
      'Along the training',
      [
        ...lastSafe.map(({ sentence }) => sentence),
        ...(allowed === '' ? [] : [`Overruled by name: differences in ${allowed}.`]),
      ],
    ],
    ['What to try next', advice.map(({ what, cost }) => `${what} Cost: ${cost}.`)],
  ]
}

function sweepText({ cells, descents, rebounds }: Sweep, files: readonly string[]): string {
  const failed = cells.filter(({ status }) => status === 'failed').length
  const rose = rebounds.filter(({ outcome }) => outcome !== 'none').length
  const counts = [`${counted(cells.length - failed, 'cell')} done, ${failed} failed`]
  if (rebounds.length > 0)
    counts.push(`${rose} of ${counted(rebounds.length, 'training curve')} with a loss rebound`)
  const peaks = descents.filter(({ outcome }) => outcome === 'peak')
  const without = descents.filter(({ outcome }) => outcome === 'no peak seen').length
  const untold = descents.length - peaks.length - without
  const rest = `${without} measured curves without a peak, ${untold} of which it cannot be told`
  return sections([
    ['Cells', counts],
    ['Peaks', peaks.map(({ line, sentence }) => `${line}: ${sentence}`)],
    ['Other curves', descents.length > peaks.length ? [rest] : []],
    ['Files', files],
  ])
}

/** For kinds that judge nothing: what they left behind. */
export function artifactText({ artifacts }: AuditRows): string {
  return sections([['Files', artifacts.map(({ role, path }) => `${role}  ${path}`)]])
}

function sections(parts: readonly (readonly [string, readonly string[]])[]): string {
  return parts
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) =>
      title === ''
        ? `${lines.join('\n')}\n`
        : `${title}\n${lines.map((line) => `  ${plain(line)}\n`).join('')}`,
    )
    .join('\n')
}

function rateLine({ arm, seed, step, benchmark, judge, rate }: Evaluation): string {
  const who = `${stateName({ arm, seed, step })}, ${benchmark} (${judge})`
  const { estimate, lower, upper, n } = rate
  if (estimate === null || lower === null || upper === null) return `${who}: nothing was decided`
  return `${who}: ${percent(estimate)} (95 % interval ${percent(lower)} to ${percent(upper)}, n = ${n})`
}

/** Last steps by first judges; the others are in the report. */
function correctedLines({ people, benchmarks, evaluations }: Results): string[] {
  const firsts = new Map(benchmarks.map(({ name, judges }) => [name, judges[0]]))
  const isLast = ({ arm, seed, step }: CorrectedRate) =>
    !evaluations.some((row) => row.arm === arm && row.seed === seed && row.step > step)
  return (people?.rates ?? [])
    .filter((row) => row.judge === firsts.get(row.benchmark) && isLast(row))
    .map(({ reported, corrected, refused, measure, ...row }) => {
      const what = measure === 'attack' ? ', attacks' : ''
      const found = reported.estimate === null ? 'undecided' : percent(reported.estimate)
      const head = `${stateName(row)}, ${row.benchmark} (${row.judge}${what}): ${found}`
      return corrected
        ? `${head} → ${percent(corrected.estimate)} (95 % interval ${percent(corrected.lower)} to ${percent(corrected.upper)})`
        : `${head}, not corrected: ${refused}`
    })
}

function spectrumLine(total: SpectrumTotal): string {
  const { intruders, slots, matrices, meanRelativeChange, meanEffectiveRankOfChange } = total
  const rank =
    meanEffectiveRankOfChange === null
      ? ''
      : `, mean effective rank of the change ${meanEffectiveRankOfChange.toPrecision(3)}`
  const found = counted(intruders, 'intruder dimension')
  return `${stateName(total)}: ${found} among ${slots} leading directions of ${matrices} matrices, mean relative change ${percent(meanRelativeChange)}${rank}`
}

const stateName = ({ arm, seed, step }: { arm: string; seed: number; step: number }) =>
  arm === 'base' ? 'base' : `${arm} (seed ${seed}, step ${step})`
