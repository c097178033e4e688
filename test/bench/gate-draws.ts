/**
 * @file Fine-tunes drawn from a known harm, and what the gate says of them: `decide` itself on drawn rows. The harm of a prompt
 * varies between clusters (beta-binomial: E the mean harm, intra-cluster correlation ICC), and between replies to a prompt likewise.
 */
import type { GateOutcome, MeasuredNoise } from '../../evals/contract/gate.ts'
import type { Outcome } from '../../evals/contract/rows.ts'
import type {
  ComparedJudgement,
  ComparedRun,
  LabelledReply,
} from '../../evals/findings/gate/compared-run.ts'
import { decide } from '../../evals/findings/gate/decide.ts'
import { planClusters, planSamples } from '../../evals/findings/gate/plan.ts'
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { clopperPearson } from '../../evals/statistics/exact-binomial.ts'
import { chiSquare, randomStream, type RandomStream } from '../../evals/statistics/random.ts'
import { plannedRun } from '../doubles/rows/compared-runs.ts'

export const MARGIN = 0.05
/** Share of the replies that are refusals after and not before. */
const GAINED = 0.01

export interface Scenario {
  /** Clusters, and prompts in each; one prompt in each: independent prompts. */
  readonly clusters: number
  readonly size: number
  /** Sizes of the clusters in turn, in place of `size`. */
  readonly sizes?: readonly number[]
  readonly icc: number
  readonly replies: number
  /** Benchmarks of the gate, each with a claim. */
  readonly claims: number
  /** Share of the replies after that are missing, whatever they were. */
  readonly missing: number
  /** The claim is that so many replies after are refusals, and no more; the loss is not. */
  readonly floor?: number
  /** A served model: on so many prompts identical runs differ; where they `hide`, all turn lost refusals back after the fine-tune. */
  readonly flips?: { readonly rate: number; readonly hide: boolean; readonly isAllowedFor: boolean }
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
  readonly cluster: number
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
  const { clusters, size, sizes = [size], icc, replies, missing, judge } = scenario
  const rows: Row[] = []
  const saidOf = (isRefusal: boolean, [se, sp]: readonly [number, number] = [1, 1]) =>
    stream.uniform() < (isRefusal ? se : 1 - sp)
  const clusterOf = Array.from({ length: clusters }, (_, c) =>
    Array<number>(sizes[c % sizes.length]!).fill(c),
  ).flat()
  for (let prompt = 0, lost = 0; prompt < clusterOf.length; prompt++) {
    const cluster = clusterOf[prompt]!
    if (cluster !== clusterOf[prompt - 1]) lost = beta(harm + GAINED, icc, stream)
    const ofPrompt = replies > 1 ? beta(lost, 0.5, stream) : lost
    for (let epoch = 0; epoch < replies; epoch++) {
      const at = stream.uniform()
      const ideal = [at >= GAINED, at < 1 - ofPrompt] as const
      const truth = flipped(scenario, ideal, harm, stream)
      const said = [saidOf(truth[0], judge?.errors[0]), saidOf(truth[1], judge?.errors[1])] as const
      // One that never errs is confirmed by another.
      const second = judge ? null : said
      rows.push({
        prompt,
        cluster,
        epoch,
        truth,
        said,
        second,
        isMissing: stream.uniform() < missing,
      })
    }
  }
  return rows
}

/** Outcomes as a server that contradicts itself gives them; draws nothing where none is. */
function flipped(
  { flips }: Scenario,
  [before, after]: readonly [boolean, boolean],
  harm: number,
  stream: RandomStream,
): readonly [boolean, boolean] {
  if (!flips) return [before, after]
  const { rate, hide } = flips
  if (hide) return [before, after || stream.uniform() < rate / (harm + GAINED)]
  // Two runs differ where one of them does.
  const differs = () => stream.uniform() < rate / 2
  return [before !== differs(), after !== differs()]
}

/** Prompts that the base is asked again. */
const ASKED_AGAIN = 256

/** What asking the base again shows. */
function noiseOf({ flips, claims }: Scenario, prompts: number, stream: RandomStream) {
  if (!flips?.isAllowedFor) return {}
  const noise = Array.from({ length: claims }, (_, b): MeasuredNoise => {
    const asked = Math.min(prompts, ASKED_AGAIN)
    const different = Array.from({ length: asked }, () => stream.uniform() < flips.rate)
    const count = different.filter(Boolean).length
    const of = { benchmark: `task${b}`, judge: 'house' }
    return { ...of, flipped: count, prompts: asked, ...clopperPearson(count, asked) }
  })
  return { noise }
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
  const { judge } = scenario
  const rates = Object.fromEntries(
    benchmarks.map((_, b) => [`task${b}`, { role: 'refusal' as const, counts: [] }]),
  )
  const run = plannedRun({ arm: side === 0 ? 'base' : 'lora', rates })
  const judged = benchmarks.flatMap((rows, b) =>
    rows
      .filter(({ isMissing }) => side === 0 || !isMissing)
      .flatMap(({ prompt, cluster, epoch, said, second }): ComparedJudgement[] => {
        const row = {
          ...{ benchmark: `task${b}`, role: 'refusal' as const, judge: 'house', category: 'all' },
          ...{ judgeVersion: 'house-1', sampleId: `${prompt}`, epoch },
          ...{ promptDigest: `${prompt}`, prompt: null, outcome: outcomeOf(said[side]) },
          cluster: `${cluster}`,
        }
        return second ? [row, { ...row, judge: 'other', outcome: outcomeOf(second[side]) }] : [row]
      }),
  )
  return {
    ...run,
    benchmarks: run.benchmarks.map((row, b) => ({ ...row, replies: benchmarks[b]!.length })),
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
  const noise = noiseOf(scenario, scenario.clusters * scenario.size, stream)
  const [before, after] = [runOf(0, scenario, rows), runOf(1, scenario, rows)]
  return { before: { ...before, ...noise }, after: { ...after, ...noise } }
}

/** Shares of each outcome of the gate in `draws` fine-tunes. */
export function gateShares(
  scenario: Scenario,
  harm: Harm,
  draws: number,
): Record<GateOutcome, number> {
  const names = Array.from({ length: scenario.claims }, (_, b) => `task${b}`)
  // Bounds could hide a wrong PASS of the margin, and the margin one of a bound.
  const { floor } = scenario
  const asked =
    floor === undefined ? `margin: ${MARGIN}, floor: false` : `margin: 0.9, floor: ${floor}`
  const lines = names.map((name) => `  ${name}: { ${asked} }`)
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
/** Five prompts a cluster on average, and a cluster as large as twelve others. */
const UNEVEN = [2, 24, 3, 2, 2, 4, 2, 3, 5, 3]
const clustered = (clusters: number, size: number, icc: number): Scenario => ({
  ...PLAIN,
  ...{ clusters, size, icc },
})
const served = (rate: number, hide: boolean, isAllowedFor = true): Scenario => ({
  ...PLAIN,
  flips: { rate, hide, isAllowedFor },
})
/** What `touchstone plan` says of these drawn fine-tunes: 1 % is lost and 1 % gained without harm. */
const ASKED = { delta: MARGIN, alpha: 0.05 }
const CHANGES = { power: 0.8, baseRate: 1 - GAINED, discordance: 2 * GAINED }
const planned = (claims: number) =>
  planSamples({ ...ASKED, ...CHANGES, floor: 0.8, reliability: 0.8, claims })
const plannedPrompts = (claims = 1) => planned(claims).both.prompts!
const plannedClusters = (perCluster: number, icc: number) =>
  planClusters(
    { ...ASKED, ...CHANGES, claims: 1, icc, clusters: null, perCluster },
    plannedPrompts(),
  )!.clusters!

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
  'prompts that plan says for a PASS alone': {
    ...PLAIN,
    clusters: planned(1).ruleOut[0]!.prompts!,
  },
  'prompts that plan says for PASS and FAIL': { ...PLAIN, clusters: plannedPrompts() },
  'the same, 6 claims': { ...PLAIN, clusters: plannedPrompts(6), claims: 6 },
  'clusters of 4 that plan says, ICC 0.05': clustered(plannedClusters(4, 0.05), 4, 0.05),
  'clusters of 4 that plan says, ICC 0.3': clustered(plannedClusters(4, 0.3), 4, 0.3),
  '30 clusters of 8, ICC 0': clustered(30, 8, 0),
  '30 clusters of 8, ICC 0.3': clustered(30, 8, 0.3),
  '60 clusters of 4, ICC 0.05': clustered(60, 4, 0.05),
  '60 clusters of 4, ICC 0.3': clustered(60, 4, 0.3),
  '60 clusters of 4, ICC 0.9': clustered(60, 4, 0.9),
  '100 clusters of 4, ICC 0': clustered(100, 4, 0),
  '100 clusters of 4, ICC 0.3': clustered(100, 4, 0.3),
  '100 clusters of 4, ICC 0.9': clustered(100, 4, 0.9),
  '200 uneven clusters, ICC 0.3': { ...clustered(200, 5, 0.3), sizes: UNEVEN },
  'floor of 90 %, 400 prompts': { ...PLAIN, floor: 0.9 },
  'floor of 90 %, 60 clusters of 4, ICC 0.3': { ...clustered(60, 4, 0.3), floor: 0.9 },
  '400 prompts served, 2 % flip and hide harm': served(0.02, true),
  '400 prompts served, the same, not allowed for': served(0.02, true, false),
  '400 prompts served, 2 % flip either way': served(0.02, false),
  '400 prompts served, none flips': served(0, false),
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

type Shares = Readonly<Record<GateOutcome, number>>

/** Shares of each outcome where the first claim's harm is the limit, where every claim's is, at none, and at three limits. */
export interface DrawnRow extends Readonly<Record<'oneAt' | 'allAt' | 'safe' | 'harmed', Shares>> {
  readonly name: string
  readonly draws: number
  readonly scenario: Scenario
}

export function drawnRow(name: string, draws: number): DrawnRow {
  const scenario = SCENARIOS[name]!
  const { claims, floor } = scenario
  // The harm at which a PASS begins to be wrong.
  const limit = floor === undefined ? MARGIN : 1 - floor - GAINED
  const shares = (first: number, others: number) => gateShares(scenario, [first, others], draws)
  const [oneAt, safe, harmed] = [shares(limit, 0), shares(0, 0), shares(3 * limit, 0)]
  const allAt = claims === 1 ? oneAt : shares(limit, limit)
  return { name, draws, scenario, oneAt, allAt, safe, harmed }
}

/** Standard error of a share of 5 % in so many draws. */
export const monteCarloError = (draws: number): number => Math.sqrt((0.05 * 0.95) / draws)

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

/** A row of the table in docs/evidence.md. */
export function tableLine({ name, draws, oneAt, allAt, safe, harmed }: DrawnRow): string {
  const cells = [oneAt.PASS, allAt.FAIL, safe.PASS, safe.INCONCLUSIVE, harmed.FAIL].map(percent)
  return `| ${[name, draws, ...cells].join(' | ')} |`
}
