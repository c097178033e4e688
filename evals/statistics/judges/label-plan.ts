/** @file How many prompts must be labelled before and after, so that a change without harm is shown to be below the margin. */
import { randomStream, type RandomStream } from '../random.ts'
import { upperHarm, type LabelledStratum } from './labelled-change.ts'

/**
 * `total` draws over strata of these sizes: as many of each as of any other, or all of it. Small strata are thereby drawn whole,
 * since they hold the errors that weigh most for each label.
 */
export function spreadOver(sizes: readonly number[], total: number): number[] {
  const taken = sizes.map(() => 0)
  let left = Math.min(
    total,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  while (left > 0) {
    const open = sizes.flatMap((size, i) => (taken[i]! < size ? [i] : []))
    const each = Math.max(1, Math.floor(left / open.length))
    for (const i of open) {
      const more = Math.min(each, sizes[i]! - taken[i]!, left)
      taken[i]! += more
      left -= more
    }
  }
  return taken
}

interface LabelQuestion {
  readonly prompts: number
  readonly margin: number
  readonly alpha: number
  readonly power: number
  readonly baseRate: number
  /** Share of prompts whose true outcome changes either way without a change of the rate. */
  readonly discordance: number
  /** Of the judge, in both states. */
  readonly sensitivity: number
  readonly specificity: number
}

const REPETITIONS = 200
const SEED = 0

/** A prompt's stratum, and its true change: 1 lost, −1 gained. */
interface Simulated {
  readonly stratum: number
  readonly change: number
}

/**
 * The smallest number of prompts whose two replies must be labelled, and the share of 200 simulated runs that passed; null where
 * all of them are too few.
 */
export function labelsNeeded(question: LabelQuestion): { labels: number; power: number } | null {
  const stream = randomStream(SEED, 'label plan')
  const runs = Array.from({ length: REPETITIONS }, () => simulated(question, stream))
  const power = (labels: number) =>
    runs.filter(
      (strata) =>
        upperHarm({ strata: drawn(strata, labels), open: 0 }, question.alpha) < question.margin,
    ).length / REPETITIONS
  if (power(question.prompts) < question.power) return null
  let [low, high] = [0, question.prompts]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (power(middle) < question.power) low = middle
    else high = middle
  }
  return { labels: high, power: power(high) }
}

/** By stratum the changes of its prompts in random order. */
function simulated(question: LabelQuestion, { uniform }: RandomStream): number[][] {
  const { prompts, baseRate, discordance, sensitivity, specificity } = question
  const says = (isTrue: boolean) => Number(uniform() < (isTrue ? sensitivity : 1 - specificity))
  const draw = (): Simulated => {
    const before = uniform() < baseRate
    const flips = uniform() < discordance / 2 / (before ? baseRate : 1 - baseRate)
    const after = before !== flips
    return { stratum: 2 * says(before) + says(after), change: Number(before) - Number(after) }
  }
  const all = Array.from({ length: prompts }, draw)
  return [0, 1, 2, 3].map((stratum) =>
    all.filter((row) => row.stratum === stratum).map(({ change }) => change),
  )
}

function drawn(strata: readonly (readonly number[])[], labels: number): LabelledStratum[] {
  const taken = spreadOver(
    strata.map(({ length }) => length),
    labels,
  )
  return strata.map((changes, i) => {
    const said = changes.slice(0, taken[i])
    const count = (change: number) => said.filter((each) => each === change).length
    return { prompts: changes.length, labelled: said.length, lost: count(1), gained: count(-1) }
  })
}
