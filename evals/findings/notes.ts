/** @file Notes beside the verdict: spread between seeds, degenerate replies, judges that differ, spectra. */
import type { Evaluation, SpectrumTotal } from '../contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../contract/rows.ts'
import { type Measured } from './judged.ts'
import { countRange, listed, percent, stateInSentence } from '../contract/words.ts'
import { keyOf, lastSteps, firstJudge } from '../contract/keys.ts'

const DEGENERATE_SHARE = 0.02
const JUDGES_DIFFER = 0.05

export function notesOf(results: Measured): string[] {
  return [
    ...seedNotes(results),
    ...results.benchmarks.flatMap((benchmark) => [
      ...degenerateNotes(results, benchmark),
      ...judgeNotes(results, benchmark),
    ]),
    ...spectrumNotes(results),
  ]
}

function seedNotes({ seeds, benchmarks }: Measured): string[] {
  const titles = new Map(benchmarks.map((row) => [keyOf(row.name, firstJudge(row)), row.title]))
  const spreads = seeds.filter(
    (row) => row.seeds.length > 1 && titles.has(keyOf(row.benchmark, row.judge)),
  )
  return [...Map.groupBy(spreads, ({ arm }) => arm)].map(([arm, rows]) => {
    const ranges = rows.map((row) => {
      const title = titles.get(keyOf(row.benchmark, row.judge))
      const [low, high] = [percent(row.minimum), percent(row.maximum)]
      return low === high ? `${low} on ${title}` : `${low} to ${high} on ${title}`
    })
    return `Between the ${rows[0]!.seeds.length} seeds of ${arm} the rates at the end are ${listed(ranges)}.`
  })
}

function lastOf({ evaluations }: Measured, benchmark: BenchmarkRow): Evaluation[] {
  const isLast = lastSteps(evaluations)
  return evaluations.filter((row) => row.benchmark === benchmark.name && isLast(row))
}

const nameOf = ({ arm, seed }: SubjectKey) => stateInSentence({ arm, seed })

/** Each arm's worst seed, where that is worth saying. */
function degenerateNotes(results: Measured, benchmark: BenchmarkRow): string[] {
  const rows = lastOf(results, benchmark).filter(({ judge }) => judge === firstJudge(benchmark))
  return [...Map.groupBy(rows, ({ arm }) => arm).values()].flatMap((seeds) => {
    const worst = seeds.reduce((a, b) => (degenerateShare(b) > degenerateShare(a) ? b : a))
    const share = degenerateShare(worst)
    if (share <= DEGENERATE_SHARE) return []
    return `${nameOf(worst)}: ${percent(share)} of the replies to ${benchmark.title} are degenerate text; they count neither as refusals nor as answers.`
  })
}

function degenerateShare({ counts }: Evaluation): number {
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return total === 0 ? 0 : counts.degenerate / total
}

/** For each further judge, the state on which it differs most from the first. */
function judgeNotes(results: Measured, benchmark: BenchmarkRow): string[] {
  const rows = lastOf(results, benchmark)
  const primary = new Map(
    rows
      .filter(({ judge }) => judge === firstJudge(benchmark))
      .map((row) => [keyOf(row.arm, row.seed), row]),
  )
  const others = rows.filter(({ judge }) => judge !== firstJudge(benchmark))
  return [...Map.groupBy(others, ({ judge }) => judge)].flatMap(([judge, judged]) => {
    const gaps = judged.flatMap((row) => {
      const first = primary.get(keyOf(row.arm, row.seed))
      const [theirs, ours] = [row.rate.estimate, first?.rate.estimate ?? null]
      return theirs === null || ours === null ? [] : [{ row, theirs, ours }]
    })
    const worst = gaps.sort((a, b) => gapOf(b) - gapOf(a))[0]
    if (!worst || gapOf(worst) <= JUDGES_DIFFER) return []
    return `The judge ${judge} finds ${percent(worst.theirs)} on ${benchmark.title} where ${firstJudge(benchmark)} finds ${percent(worst.ours)} (${nameOf(worst.row)}).`
  })
}

const gapOf = ({ theirs, ours }: { theirs: number; ours: number }) => Math.abs(theirs - ours)

function spectrumNotes({ spectrumTotals }: Measured): string[] {
  const isLast = lastSteps(spectrumTotals)
  const totals = spectrumTotals.filter((row) => row.arm !== 'base' && isLast(row))
  if (totals.length === 0) return []
  const arms = [...Map.groupBy(totals, ({ arm }) => arm)].map(
    ([arm, rows]) => `${arm} ${intruderText(rows)}`,
  )
  return [`Leading singular directions counted as intruders: ${listed(arms)}.`]
}

function intruderText(rows: readonly SpectrumTotal[]): string {
  const counts = rows.map(({ intruders }) => intruders)
  const slots = Math.max(...rows.map((row) => row.slots))
  const chance = rows.flatMap((row) => row.chance ?? [])
  const random = chance.flatMap(({ lowest, highest }) => [lowest, highest])
  const beside =
    random.length === 0 ? '' : ` (random updates of its rank and size: ${countRange(random)})`
  return `${countRange(counts)} of ${slots}${beside}`
}
