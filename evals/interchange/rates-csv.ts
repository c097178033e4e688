/** @file Every rate as CSV: reported with Wilson's interval and the exact one, its change from the base, and corrected for its judge's errors where people labelled. */
import type { CorrectedRate, Evaluation, Results } from '../contract/results.ts'
import { clopperPearson } from '../statistics/exact-binomial.ts'
import { csvLine, type Cell } from '../tables/csv.ts'
import { licencesText } from './paired-rows.ts'

const RATE_COLUMNS: readonly string[] = `
  arm seed step benchmark judge measure successes n
  rate lower upper exactLower exactUpper change changeLower changeUpper pValue holmP
  sensitivity specificity corrected correctedLower correctedUpper notCorrected
  correctedChange correctedChangeLower correctedChangeUpper
  prompts scoreLower scoreUpper licences`
  .trim()
  .split(/\s+/u)

type Row = Readonly<Record<string, Cell>>

/** With a byte order mark, without which spreadsheets do not recognise UTF-8. */
export function ratesCsv(results: Results): string {
  const corrected = results.people?.rates ?? []
  const rates = results.evaluations.map((row) => {
    const own = corrected.find((each) => each.measure === 'rate' && isSame(each, row))
    return { ...reportedOf(row, row.rate), ...changeOf(results, row), ...correctedOf(results, own) }
  })
  const attacks = corrected
    .filter(({ measure }) => measure === 'attack')
    .map((row) => ({
      ...reportedOf(row, row.reported),
      ...attackChangeOf(results, row),
      ...correctedOf(results, row),
    }))
  const licences = new Map(results.benchmarks.map((row) => [row.name, licencesText(row)]))
  const lines = [...rates, ...attacks].map((found: Row) => {
    const row: Row = { ...found, licences: licences.get(String(found['benchmark'])) ?? null }
    return csvLine(RATE_COLUMNS.map((column) => row[column] ?? null))
  })
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
  { successes, n, prompts, estimate, lower, upper }: Evaluation['rate'],
): Row {
  const measure = rest.measure ?? 'rate'
  // Exact for independent replies only.
  const exact = n === 0 || prompts !== undefined ? undefined : clopperPearson(successes, n)
  return {
    prompts: prompts ?? n,
    arm,
    seed,
    step,
    benchmark,
    judge,
    measure,
    successes,
    n,
    rate: estimate,
    lower,
    upper,
    exactLower: exact?.lower ?? null,
    exactUpper: exact?.upper ?? null,
  }
}

/** After − before. */
function changeOf({ comparisons }: Results, row: Key): Row {
  const found = comparisons.find((each) => isSame(each, row))
  if (!found) return {}
  const { difference, lower, upper, pValue, holmP, score } = found
  return {
    change: turned(difference),
    changeLower: turned(upper),
    changeUpper: turned(lower),
    pValue,
    holmP,
    scoreLower: turned(score?.upper ?? null),
    scoreUpper: turned(score?.lower ?? null),
  }
}

const turned = (value: number | null) => (value === null ? null : 0 - value)

function attackChangeOf({ people }: Results, row: CorrectedRate): Row {
  const found = people?.changes.find((each) => each.measure === 'attack' && isSame(each, row))
  if (!found) return {}
  const { estimate, lower, upper } = found.reported
  return { change: 0 - estimate, changeLower: 0 - upper, changeUpper: 0 - lower }
}

function correctedChangeOf({ people }: Results, row: CorrectedRate): Row {
  const found = people?.changes.find((each) => each.measure === row.measure && isSame(each, row))
  if (!found?.corrected) return {}
  const { estimate, lower, upper } = found.corrected
  return {
    correctedChange: 0 - estimate,
    correctedChangeLower: 0 - upper,
    correctedChangeUpper: 0 - lower,
  }
}

function correctedOf(results: Results, row: CorrectedRate | undefined): Row {
  if (!row) return { notCorrected: 'no labels' }
  const { corrected, refused, benchmark, judge, measure } = row
  const quality = results.people?.judges.find(
    (each) => each.benchmark === benchmark && each.judge === judge && each.measure === measure,
  )
  return {
    sensitivity: quality?.sensitivity.estimate ?? null,
    specificity: quality?.specificity.estimate ?? null,
    corrected: corrected?.estimate ?? null,
    correctedLower: corrected?.lower ?? null,
    correctedUpper: corrected?.upper ?? null,
    notCorrected: refused,
    ...correctedChangeOf(results, row),
  }
}
