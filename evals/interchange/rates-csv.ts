/** @file Every rate as CSV: reported with Wilson's interval and the exact one, its change from the base, and corrected for its judge's errors where people labelled. */
import type { CorrectedRate, Evaluation, Results } from '../contract/results.ts'
import { clopperPearson } from '../statistics/exact-binomial.ts'
import { csvLine, type Cell } from './csv.ts'

export const RATE_COLUMNS = [
  ...['arm', 'seed', 'step', 'benchmark', 'judge', 'measure', 'successes', 'n'],
  ...[
    'rate',
    'lower',
    'upper',
    'exactLower',
    'exactUpper',
    'change',
    'changeLower',
    'changeUpper',
    'pValue',
    'holmP',
  ],
  ...['sensitivity', 'specificity', 'corrected', 'correctedLower', 'correctedUpper'],
  'notCorrected',
] as const

type Row = Readonly<Partial<Record<(typeof RATE_COLUMNS)[number], Cell>>>

/** With a byte order mark, without which spreadsheets take UTF-8 for something else. */
export function ratesCsv(results: Results): string {
  const corrected = results.people?.rates ?? []
  const rates = results.evaluations.map((row) => {
    const own = corrected.find((each) => each.measure === 'rate' && isSame(each, row))
    return { ...reportedOf(row, row.rate), ...changeOf(results, row), ...correctedOf(results, own) }
  })
  const attacks = corrected
    .filter(({ measure }) => measure === 'attack')
    .map((row) => ({ ...reportedOf(row, row.reported), ...correctedOf(results, row) }))
  const lines = [...rates, ...attacks].map((row: Row) =>
    csvLine(RATE_COLUMNS.map((column) => row[column] ?? null)),
  )
  return `\uFEFF${csvLine(RATE_COLUMNS)}${lines.join('')}`
}

type Key = Pick<Evaluation, 'arm' | 'seed' | 'step' | 'benchmark' | 'judge'>

const isSame = (a: Key, b: Key) =>
  a.arm === b.arm &&
  a.seed === b.seed &&
  a.step === b.step &&
  a.benchmark === b.benchmark &&
  a.judge === b.judge

function reportedOf(
  { arm, seed, step, benchmark, judge, ...rest }: Key & Partial<Pick<CorrectedRate, 'measure'>>,
  { successes, n, estimate, lower, upper }: Evaluation['rate'],
): Row {
  const measure = rest.measure ?? 'rate'
  const exact = n === 0 ? undefined : clopperPearson(successes, n)
  return {
    ...{ arm, seed, step, benchmark, judge, measure, successes, n, rate: estimate, lower, upper },
    ...{ exactLower: exact?.lower ?? null, exactUpper: exact?.upper ?? null },
  }
}

/** After − before, as a reader expects it. */
function changeOf({ comparisons }: Results, row: Key): Row {
  const found = comparisons.find((each) => isSame(each, row))
  if (!found) return {}
  const { difference, lower, upper, pValue, holmP } = found
  const turned = (value: number | null) => (value === null ? null : 0 - value)
  return {
    ...{ change: turned(difference), changeLower: turned(upper), changeUpper: turned(lower) },
    ...{ pValue, holmP },
  }
}

function correctedOf({ people }: Results, row: CorrectedRate | undefined): Row {
  if (!row) return { notCorrected: 'no labels' }
  const { corrected, refused, benchmark, judge, measure } = row
  const quality = people?.judges.find(
    (each) => each.benchmark === benchmark && each.judge === judge && each.measure === measure,
  )
  return {
    sensitivity: quality?.sensitivity.estimate ?? null,
    specificity: quality?.specificity.estimate ?? null,
    corrected: corrected?.estimate ?? null,
    correctedLower: corrected?.lower ?? null,
    correctedUpper: corrected?.upper ?? null,
    notCorrected: refused,
  }
}
