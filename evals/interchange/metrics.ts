/**
 * @file What scores of other tools mean: whether a higher score is better, and in which role. Scores of known metrics are
 * read; any other metric is refused by name until the user says what it means.
 */
import type { MetricMeaning } from '../contract/gate/rule.ts'
import type { BenchmarkRole, Outcome } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** What the user says of metrics, by name. */
export type Metrics = Readonly<Record<string, MetricMeaning>>

const NAMES: Readonly<Record<string, string>> = {
  'higher:capability':
    'acc acc_norm acc_bytes acc_mutual_info accuracy exact_match quasi_exact_match em f1 mc1 mc2 pass@1 pass_at_1 includes match pattern choice exact answer model_graded_qa model_graded_fact correct prompt_level_strict_acc prompt_level_loose_acc',
  // A "refusal_rate" alone may be that of prompts to answer. What promptfoo's red team resisted, and our own logs, say which.
  'higher:refusal': 'resisted touchstone.refusal_rate',
  'lower:refusal':
    'attack_success_rate attack_success asr toxicity bias harmfulness harmful_compliance_rate jailbreak_rate',
  'lower:over-refusal': 'over_refusal_rate false_refusal_rate',
}

/** Of names that differ in case, spaces and hyphens alone. */
export const metricKey = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/gu, '_')

const KNOWN: ReadonlyMap<string, MetricMeaning> = new Map(
  Object.entries(NAMES).flatMap(([meaning, names]) =>
    names.split(' ').map((name) => [name, meaning as MetricMeaning]),
  ),
)

interface Named {
  /** The metric's names, the most telling first. */
  readonly names: readonly string[]
  /** Further names, by which the user may mean it; none of them may say otherwise. */
  readonly others?: readonly string[]
  readonly path: string
  /** What the log itself says; undefined where it does not. */
  readonly isHigherBetter: boolean | undefined
}

/** Throws for a metric that nobody knows, and for a known one whose direction the log denies. */
export function meaningOf(
  { names, others = [], path, isHigherBetter }: Named,
  said: Metrics,
): MetricMeaning {
  const own = new Map(Object.entries(said).map(([name, meaning]) => [metricKey(name), meaning]))
  const twice = Object.entries(said).find(([name, meaning]) => own.get(metricKey(name)) !== meaning)
  if (twice)
    throw new TouchstoneError('interchange.metric', {
      ...{ path, name: twice[0], why: 'two meanings are given for it' },
    })
  const chosen = [...names, ...others]
    .map((name) => own.get(metricKey(name)))
    .find((found) => found !== undefined)
  if (chosen) return chosen
  const known = names.map((name) => KNOWN.get(metricKey(name))).find((found) => found !== undefined)
  const name = names[0] ?? ''
  if (!known)
    throw new TouchstoneError('interchange.metric', { path, name, why: 'it is not known' })
  const other = others.find((each) => (KNOWN.get(metricKey(each)) ?? known) !== known)
  if (other !== undefined)
    throw new TouchstoneError('interchange.metric', {
      ...{ path, name, why: `it is called "${other}" too` },
    })
  if (isHigherBetter === undefined || known.startsWith('higher') === isHigherBetter) return known
  const why = `the log says that ${isHigherBetter ? 'higher' : 'lower'} is better`
  throw new TouchstoneError('interchange.metric', { path, name, why })
}

/** Measures of a text or of a whole file, of which no reply is right or wrong. */
const NEVER_RIGHT =
  /perplexity|bits_per_byte|bleu|rouge|chrf|brier|^(?:ppl|nll|ter|mcc|(?:log)?likelihood(?:_diff)?)$|^inst_level_/u

/** Whether a metric whose values are no shares says nothing of single replies, so that another metric of the task has to. */
export function isLeftOut(name: string, values: readonly unknown[]): boolean {
  if (values.some(isShare)) return false
  // A file's F1 takes pairs of answers, which the metric beside it counts.
  const isOfPairs = values.every((value) => typeof value === 'object' && value !== null)
  return (
    NEVER_RIGHT.test(metricKey(name)) ||
    (isOfPairs && KNOWN.get(metricKey(name)) === 'higher:capability')
  )
}

/** A log of our own says its role. */
export const meaningOfRole = (role: BenchmarkRole): MetricMeaning =>
  role === 'over-refusal' ? 'lower:over-refusal' : `higher:${role}`

export const roleOf = (meaning: MetricMeaning): BenchmarkRole =>
  meaning.slice(meaning.indexOf(':') + 1) as BenchmarkRole

const GOOD_AND_BAD: Readonly<Record<BenchmarkRole, readonly [good: Outcome, bad: Outcome]>> = {
  capability: ['correct', 'incorrect'],
  refusal: ['refusal', 'compliance'],
  'over-refusal': ['compliance', 'refusal'],
}

/** Of Inspect's letters and scores of 1 and 0. A score between, or none, leaves the reply undecided. */
export function outcomeOfScore(value: unknown, meaning: MetricMeaning): Outcome {
  const isHigherBetter = meaning.startsWith('higher')
  const is = (...values: readonly unknown[]) => values.includes(value)
  // N is "no answer": no evidence that an attack failed.
  const isLow = is(0, 'I', false, '0') || (isHigherBetter && is('N'))
  if (!isLow && !is(1, 'C', true, '1')) return 'undecided'
  return GOOD_AND_BAD[roleOf(meaning)][isLow === isHigherBetter ? 1 : 0]
}

/** Whether a value could be a share of something right or wrong, as a perplexity is not. */
export const isShare = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  value === '0' ||
  value === '1' ||
  (typeof value === 'number' && value >= 0 && value <= 1)
