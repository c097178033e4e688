/** @file Numbers of prompts and seeds that a question needs, from exact power. */
import { clusterSizeNeeded, clustersNeeded } from '../../statistics/paired/cluster-plan.ts'
import { clusterPower } from '../../statistics/paired/cluster-power.ts'
import { leastClusters } from '../../statistics/paired/dependent.ts'
import { POWER_LOSS, StoppingRule } from '../../contract/gate/stopping.ts'
import { endsOf } from '../../statistics/sequential/design.ts'
import { labelsNeeded } from '../../statistics/judges/label-plan.ts'
import {
  harmPower,
  mcNemarPower,
  nonInferiorityPower,
  promptsNeeded,
  seedsNeeded,
  type Change,
} from '../../statistics/paired/power.ts'
import { floorPower } from '../../statistics/level.ts'
import { DEFAULT_CATEGORY_MARGIN, leastPrompts } from './questions.ts'

interface Question {
  /** The margin δ: the harm to rule out or to detect. */
  readonly delta: number
  readonly power: number
  readonly alpha: number
  /** The rate before, as a share of prompts. */
  readonly baseRate: number
  /** Share of prompts that flip in either direction without a change of the rate. */
  readonly discordance: number
  /** Share of trainings that must be safe, for the number of seeds. */
  readonly reliability: number
  /** The least rate that shall be shown of the fine-tune itself. */
  readonly floor: number
  /** Claims of the gate, which share α for a FAIL (Holm). */
  readonly claims: number
}

interface SampleSize {
  /** Trainings that must all pass. */
  readonly seeds: number
  /** Prompts in each training's benchmark; null where `MOST_PROMPTS` are too few. */
  readonly prompts: number | null
  readonly power: number | null
}

export interface SamplePlan {
  /** To rule out a harm of δ where there is none. */
  readonly ruleOut: readonly SampleSize[]
  /**
   * Of one training: enough to PASS without harm with the power asked for, and to FAIL a harm of three margins with 90 %. Null
   * where `MOST_PROMPTS` are too few, or no such harm can be.
   */
  readonly both: {
    readonly harm: number
    readonly prompts: number | null
    readonly passes: number | null
    readonly fails: number | null
  }
  /** To detect a harm of δ by the exact McNemar test. */
  readonly notice: { readonly prompts: number | null; readonly power: number | null }
  /** Seeds that must all pass to show that a share `reliability` of trainings would. */
  readonly seeds: number
  /** To show the floor of a fine-tune whose rate is the base's, and if every prompt goes well. */
  readonly floor: {
    readonly prompts: number | null
    readonly power: number | null
    readonly withoutFailure: number
  }
  /** A category of its own, at the default margin. */
  readonly category: number
}

/** Upper limit of the search; the sums grow long beyond it. */
export const MOST_PROMPTS = 10_000

const SEEDS = [1, 3, 5]

/** Why the numbers are contradictory; undefined where they are not. */
export function objection({ delta, baseRate, discordance }: Question): string | undefined {
  // Lost prompts are among those that counted before, gained ones among the rest.
  if (discordance / 2 > Math.min(baseRate, 1 - baseRate) + 1e-12) {
    return `with a base rate of ${baseRate} at most ${(2 * Math.min(baseRate, 1 - baseRate)).toFixed(3)} of the answers can change without the rate changing`
  }
  if (delta > baseRate) return `a rate of ${baseRate} cannot fall by ${delta}`
  return undefined
}

function planFloor({ baseRate, floor, alpha, power }: Question): SamplePlan['floor'] {
  const shows = (n: number) => floorPower(n, baseRate, floor, alpha)
  const prompts = baseRate > floor ? promptsNeeded(shows, power, MOST_PROMPTS) : null
  return {
    prompts,
    power: prompts === null ? null : shows(prompts),
    // All n count with probability floorⁿ at the floor.
    withoutFailure: leastPrompts(1 - floor, alpha),
  }
}

/** A harm of so many margins shall FAIL so often. */
const HARM_IN_MARGINS = 3
const FAILS = 0.9

/** What was not done before cannot be lost. */
const harmToFail = ({
  delta,
  baseRate,
  discordance,
}: Pick<Question, 'delta' | 'baseRate' | 'discordance'>): number =>
  Math.min(HARM_IN_MARGINS * delta, baseRate - discordance / 2)

function planBoth(question: Question, passes: (n: number) => number): SamplePlan['both'] {
  const { delta: margin, power, alpha, discordance, claims } = question
  const harm = harmToFail(question)
  const change = { lost: discordance / 2 + harm, gained: discordance / 2 }
  const fails = remembered((n) => harmPower(n, change, { margin, alpha: alpha / claims }))
  const none = { harm, prompts: null, passes: null, fails: null }
  if (harm <= margin) return none
  const share = (n: number) =>
    passes(n) < power ? passes(n) / power : Math.min(passes(n) / power, fails(n) / FAILS)
  const prompts = promptsNeeded(share, 1, MOST_PROMPTS)
  return prompts === null ? none : { harm, prompts, passes: passes(prompts), fails: fails(prompts) }
}

export function planSamples(question: Question): SamplePlan {
  const { delta, power, alpha, discordance, reliability } = question
  const alike: Change = { lost: discordance / 2, gained: discordance / 2 }
  const rulesOut = remembered((n) => nonInferiorityPower(n, alike, { margin: delta, alpha }))
  const harmed: Change = { lost: discordance / 2 + delta, gained: discordance / 2 }
  const notices = remembered((n) => mcNemarPower(n, harmed, alpha))
  const noticed = promptsNeeded(notices, power, MOST_PROMPTS)
  return {
    ruleOut: SEEDS.map((seeds) => {
      // All must pass: each gets its share of the error (Bonferroni).
      const prompts = promptsNeeded(rulesOut, 1 - (1 - power) / seeds, MOST_PROMPTS)
      return { seeds, prompts, power: prompts === null ? null : rulesOut(prompts) }
    }),
    both: planBoth(question, rulesOut),
    notice: { prompts: noticed, power: noticed === null ? null : notices(noticed) },
    seeds: seedsNeeded(reliability, alpha),
    floor: planFloor(question),
    category: leastPrompts(DEFAULT_CATEGORY_MARGIN, alpha),
  }
}

interface LabelQuestion extends Omit<Question, 'reliability' | 'claims'> {
  /** Prompts of the benchmark; null where labels are not asked for. */
  readonly labels: number | null
  /** Of the judge, in both states. */
  readonly sensitivity: number
  readonly specificity: number
}

/** Undefined where it was not asked; null where labels of every prompt are too few. */
export const planLabels = ({ labels: prompts, delta: margin, ...question }: LabelQuestion) =>
  prompts === null ? undefined : labelsNeeded({ ...question, prompts, margin })

interface ClusterQuestion extends Pick<
  Question,
  'delta' | 'power' | 'alpha' | 'baseRate' | 'discordance' | 'claims'
> {
  /** Intra-cluster correlation of the changes; null where prompts are independent. */
  readonly icc: number | null
  /** How many clusters there are, or how many prompts each has; the other is searched for. */
  readonly clusters: number | null
  readonly perCluster: number | null
}

export interface ClusterPlan {
  readonly clusters: number | null
  readonly perCluster: number | null
  /** Fewer clusters cannot pass whatever they show. */
  readonly leastClusters: number
  /** Of `DRAWN` fine-tunes: without harm, and with one of three margins. Null where no size was found, or too many were to be drawn. */
  readonly passes: number | null
  readonly fails: number | null
}

/** Fine-tunes drawn of each size that is tried. */
export const DRAWN = 500
/** Of more prompts none are drawn: that takes long, and the formula is as good as the tests there. */
const MOST_DRAWN = 4000
/** A search goes no further beyond what the formula says. */
const MOST_GROWTH = 1.6
const GROWTH = 1.03

/**
 * Clusters of prompts with which a fine-tune passes and fails as often as with `prompts` independent ones; the searched number is
 * null where none is enough. It begins where the formula says, and goes on until drawn fine-tunes are decided often enough.
 */
export function planClusters(
  question: ClusterQuestion,
  prompts: number | null,
): ClusterPlan | undefined {
  const { icc, clusters, perCluster, delta: margin, alpha } = question
  if (icc === null || prompts === null) return undefined
  const needed = { prompts, icc, margin, alpha }
  const least = { leastClusters: leastClusters(margin, alpha) }
  const planOf = (searched: number) =>
    clusters === null
      ? { clusters: searched, perCluster: perCluster ?? 1 }
      : { clusters, perCluster: searched }
  const first =
    clusters === null
      ? clustersNeeded(perCluster ?? 1, needed)
      : clusterSizeNeeded(clusters, needed)
  const none = { clusters, perCluster, ...least, passes: null, fails: null }
  if (first === null) return none
  for (
    let at = first;
    at <= MOST_GROWTH * first + 2;
    at = Math.max(at + 1, Math.ceil(GROWTH * at))
  ) {
    const plan = planOf(at)
    if (plan.perCluster === 1 || plan.clusters * plan.perCluster > MOST_DRAWN)
      return { ...plan, ...least, passes: null, fails: null }
    const shares = drawnShares({ ...plan, icc }, question)
    if (shares) return { ...plan, ...least, ...shares }
  }
  return none
}

/** A share of drawn fine-tunes at which one standard error less is still this one: the first of several that is enough looks better than it is. */
const sure = (share: number): number => share + Math.sqrt((share * (1 - share)) / DRAWN)

/** Undefined where too few are decided. */
function drawnShares(
  { clusters, perCluster: size, icc }: { clusters: number; perCluster: number; icc: number },
  question: ClusterQuestion,
): Pick<ClusterPlan, 'passes' | 'fails'> | undefined {
  const { delta: margin, power, alpha, discordance, claims } = question
  const half = discordance / 2
  const harm = harmToFail(question)
  const asked = { margin, below: alpha, above: alpha / claims, draws: DRAWN }
  const drawn = { clusters, size, icc }
  const passes = clusterPower(drawn, { lost: half, gained: half }, asked).below
  if (passes < sure(power)) return undefined
  if (harm <= margin) return { passes, fails: null }
  const fails = clusterPower(drawn, { lost: half + harm, gained: half }, asked).above
  return fails < sure(FAILS) ? undefined : { passes, fails }
}

/** In margins. */
const PLANNED_HARMS = [0, 0.5, 1, 2]

export interface StoppingPlan {
  readonly spending: StoppingRule['spending']
  readonly looks: number
  /** Of the benchmark. */
  readonly prompts: number
  /** With this harm, in margins: mean number of prompts asked, and how often it passes, against one look at all of them. */
  readonly ends: readonly {
    readonly harm: number
    readonly prompts: number
    readonly passes: number
    readonly passesAtOnce: number
  }[]
}

/** Undefined where it was not asked, or no number of prompts is enough. */
export function planStopping(
  { delta: margin, alpha, discordance, sequential, looks }: StoppingQuestion,
  prompts: number | null,
): StoppingPlan | undefined {
  if (sequential === null || prompts === null || prompts < looks) return undefined
  const { futility } = StoppingRule.parse({ spending: sequential })
  const sizes = Array.from({ length: looks }, (_, k) => Math.ceil(((k + 1) * prompts) / looks))
  const design = { spending: sequential, sizes, margin, alpha, futility, powerLoss: POWER_LOSS }
  const ends = PLANNED_HARMS.filter((harm) => harm * margin + discordance <= 1).map((harm) => {
    const change = { lost: discordance / 2 + harm * margin, gained: discordance / 2 }
    const { below: passes, prompts: asked } = endsOf(design, change)
    const passesAtOnce = nonInferiorityPower(prompts, change, { margin, alpha })
    return { harm, prompts: asked, passes, passesAtOnce }
  })
  return { spending: sequential, looks, prompts, ends }
}

interface StoppingQuestion extends Pick<Question, 'delta' | 'alpha' | 'discordance'> {
  readonly sequential: StoppingRule['spending'] | null
  readonly looks: number
}

/** Searches for several seeds evaluate the same sizes. */
function remembered(power: (n: number) => number): (n: number) => number {
  const known = new Map<number, number>()
  return (n) => {
    const value = known.get(n) ?? power(n)
    known.set(n, value)
    return value
  }
}
