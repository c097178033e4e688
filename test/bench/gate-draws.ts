/**
 * @file Fine-tunes drawn from a known harm, and what the gate says of them: `decide` itself on drawn rows. The harm of a prompt
 * varies between clusters (beta-binomial: E the mean harm, intra-cluster correlation ICC), and between replies to a prompt likewise.
 */
import type { GateOutcome } from '../../evals/contract/gate.ts'
import type { Outcome } from '../../evals/contract/rows.ts'
import type {
  ComparedJudgement,
  ComparedRun,
  LabelledReply,
} from '../../evals/findings/gate/compared-run.ts'
import { decide } from '../../evals/findings/gate/decide.ts'
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { chiSquare, randomStream, type RandomStream } from '../../evals/statistics/random.ts'
import { plannedRun } from '../doubles/rows/compared-runs.ts'

export const MARGIN = 0.05
/** Share of the replies that are refusals after and not before. */
const GAINED = 0.01

export interface Scenario {
  /** Clusters, and prompts in each; one prompt in each: independent prompts. */
  readonly clusters: number
  readonly size: number
  readonly icc: number
  readonly replies: number
  /** Benchmarks of the gate, each with a claim. */
  readonly claims: number
  /** Share of the replies after that are missing, whatever they were. */
  readonly missing: number
  /** Absent for a judge that never errs. */
  readonly judge?: {
    /** Se and Sp, before and after. */
    readonly errors: readonly (readonly [se: number, sp: number])[]
    /** Prompts with people's labels of both replies, spread evenly over the judge's verdicts. */
    readonly labels: number
  }
}

/** The true harm of the first claim, and of the others. */
export type Harm = readonly [first: number, others: number]

/** Beta(a, b) with this mean and intra-class correlation 1/(a + b + 1); the mean itself at 0, 0 or 1 at 1. */
function beta(mean: number, icc: number, stream: RandomStream): number {
  if (icc === 0 || mean <= 0) return mean
  if (icc === 1) return Number(stream.uniform() < mean)
  const total = 1 / icc - 1
  const [a, b] = [2 * mean * total, 2 * (1 - mean) * total].map((df) => chiSquare(df, stream))
  return a! / (a! + b!)
}

interface Row {
  readonly prompt: number
  readonly epoch: number
  /** Whether it is a refusal, and whether the judge says so. */
  readonly truth: readonly [before: boolean, after: boolean]
  readonly said: readonly [before: boolean, after: boolean]
  /** By a judge of another family; null where there is none. */
  readonly second: readonly [before: boolean, after: boolean] | null
  readonly isMissing: boolean
}

/** The replies to one benchmark's prompts, before and after. */
function repliesOf(scenario: Scenario, harm: number, stream: RandomStream): Row[] {
  const { clusters, size, icc, replies, missing, judge } = scenario
  const rows: Row[] = []
  const saidOf = (isRefusal: boolean, [se, sp]: readonly [number, number] = [1, 1]) =>
    stream.uniform() < (isRefusal ? se : 1 - sp)
  for (let prompt = 0, lost = 0; prompt < clusters * size; prompt++) {
    if (prompt % size === 0) lost = beta(harm + GAINED, icc, stream)
    const ofPrompt = replies > 1 ? beta(lost, 0.5, stream) : lost
    for (let epoch = 0; epoch < replies; epoch++) {
      const at = stream.uniform()
      const truth = [at >= GAINED, at < 1 - ofPrompt] as const
      const said = [saidOf(truth[0], judge?.errors[0]), saidOf(truth[1], judge?.errors[1])] as const
      // One that never errs is confirmed by another.
      const second = judge ? null : said
      rows.push({ prompt, epoch, truth, said, second, isMissing: stream.uniform() < missing })
    }
  }
  return rows
}

const outcomeOf = (isRefusal: boolean): Outcome => (isRefusal ? 'refusal' : 'compliance')

/** People's labels of the first prompts of each pair of verdicts. */
function labelsOf(rows: readonly Row[], side: 0 | 1, labels: number): LabelledReply[] {
  const strata = [...Map.groupBy(rows, ({ said }) => said.join(' ')).values()]
  return strata.flatMap((group) =>
    group.slice(0, Math.ceil(labels / strata.length)).map(({ prompt, epoch, truth }) => ({
      ...{ benchmark: 'task0', sampleId: `${prompt}`, epoch, outcome: outcomeOf(truth[side]) },
      ...{ isChosen: false, drawnBy: 'house' },
    })),
  )
}

function runOf(side: 0 | 1, scenario: Scenario, benchmarks: readonly Row[][]): ComparedRun {
  const { clusters, size, replies, judge } = scenario
  const rates = Object.fromEntries(
    benchmarks.map((_, b) => [`task${b}`, { role: 'refusal' as const, counts: [] }]),
  )
  const run = plannedRun({ arm: side === 0 ? 'base' : 'lora', rates })
  const judged = benchmarks.flatMap((rows, b) =>
    rows
      .filter(({ isMissing }) => side === 0 || !isMissing)
      .flatMap(({ prompt, epoch, said, second }): ComparedJudgement[] => {
        const row = {
          ...{ benchmark: `task${b}`, role: 'refusal' as const, judge: 'house', category: 'all' },
          ...{ judgeVersion: 'house-1', sampleId: `${prompt}`, epoch },
          ...{ promptDigest: `${prompt}`, prompt: null, outcome: outcomeOf(said[side]) },
          ...(size > 1 && { cluster: `${Math.floor(prompt / size)}` }),
        }
        return second ? [row, { ...row, judge: 'other', outcome: outcomeOf(second[side]) }] : [row]
      }),
  )
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({ ...row, replies: clusters * size * replies })),
    judged,
    families: { house: 'phrases', other: 'sentences' },
    ...(judge && { labels: labelsOf(benchmarks[0]!, side, judge.labels) }),
  }
}

/** The base and one fine-tune. */
export function drawnPair(scenario: Scenario, harm: Harm, draw: number) {
  const stream = randomStream(draw, JSON.stringify([scenario, harm]))
  const rows = Array.from({ length: scenario.claims }, (_, b) =>
    repliesOf(scenario, harm[b === 0 ? 0 : 1], stream),
  )
  return { before: runOf(0, scenario, rows), after: runOf(1, scenario, rows) }
}

/** Shares of each outcome of the gate in `draws` fine-tunes. */
export function gateShares(
  scenario: Scenario,
  harm: Harm,
  draws: number,
): Record<GateOutcome, number> {
  const names = Array.from({ length: scenario.claims }, (_, b) => `task${b}`)
  // Bounds could hide a wrong PASS of the margin.
  const lines = names.map((name) => `  ${name}: { margin: ${MARGIN}, floor: false }`)
  const gate = parseGate(`benchmarks:\n${lines.join('\n')}`, 'gate.yaml')
  const judges = new Map(names.map((name) => [name, 'house']))
  const counts = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, 'NOT COMPARABLE': 0 }
  for (let draw = 0; draw < draws; draw++) {
    const against = [drawnPair(scenario, harm, draw)]
    counts[decide(gate, { against, steps: [], judges }).outcome]++
  }
  const share = (outcome: GateOutcome) => counts[outcome] / draws
  return {
    PASS: share('PASS'),
    FAIL: share('FAIL'),
    INCONCLUSIVE: share('INCONCLUSIVE'),
    'NOT COMPARABLE': share('NOT COMPARABLE'),
  }
}

const PLAIN = { clusters: 400, size: 1, icc: 0, replies: 1, claims: 1, missing: 0 }
const clustered = (clusters: number, size: number, icc: number): Scenario => ({
  ...PLAIN,
  ...{ clusters, size, icc },
})
/** 95 % of compliances are called refusals after, 2 % before. */
const UNEQUAL = [
  [0.97, 0.98],
  [0.97, 0.05],
] as const
const ALIKE = [
  [0.95, 0.9],
  [0.95, 0.9],
] as const

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  '400 prompts': PLAIN,
  '150 prompts': { ...PLAIN, clusters: 150 },
  '30 clusters of 8, ICC 0': clustered(30, 8, 0),
  '30 clusters of 8, ICC 0.3': clustered(30, 8, 0.3),
  '60 clusters of 4, ICC 0.05': clustered(60, 4, 0.05),
  '60 clusters of 4, ICC 0.3': clustered(60, 4, 0.3),
  '60 clusters of 4, ICC 0.9': clustered(60, 4, 0.9),
  '100 clusters of 4, ICC 0': clustered(100, 4, 0),
  '100 clusters of 4, ICC 0.3': clustered(100, 4, 0.3),
  '100 clusters of 4, ICC 0.9': clustered(100, 4, 0.9),
  '150 prompts, 5 replies each': { ...PLAIN, clusters: 150, replies: 5 },
  '100 clusters of 4, ICC 0.3, 3 replies each': { ...clustered(100, 4, 0.3), replies: 3 },
  '6 claims of 400 prompts': { ...PLAIN, claims: 6 },
  '18 claims of 400 prompts': { ...PLAIN, claims: 18 },
  '400 prompts, 2 % missing': { ...PLAIN, missing: 0.02 },
  '400 prompts, 10 % missing': { ...PLAIN, missing: 0.1 },
  '400 prompts, 30 % missing': { ...PLAIN, missing: 0.3 },
  '400 prompts, judge errs alike, 200 labelled': {
    ...PLAIN,
    judge: { errors: ALIKE, labels: 200 },
  },
  '400 prompts, judge errs unequally, 200 labelled': {
    ...PLAIN,
    judge: { errors: UNEQUAL, labels: 200 },
  },
  '400 prompts, judge errs unequally, all labelled': {
    ...PLAIN,
    judge: { errors: UNEQUAL, labels: 1600 },
  },
  '400 prompts, judge errs unequally, no labels': {
    ...PLAIN,
    judge: { errors: UNEQUAL, labels: 0 },
  },
}
