/** @file The same prompts before and after: counts, flips, retention. Pairs with an undecided side are dropped and counted. */
import type { Comparison, Flip, Results } from '../contract/results.ts'
import type { Outcome } from '../contract/rows.ts'
import { keyOf, isBase } from '../contract/keys.ts'
import { capabilityRetention } from '../statistics/bootstrap.ts'
import { pairedChange } from '../statistics/paired/paired-change.ts'
import type { PromptPair } from '../statistics/repeated.ts'
import { measureOf } from './gate/outcomes.ts'
import { judgedKey, type Judged, type JudgedReply } from './judged.ts'

interface Pair {
  readonly before: JudgedReply
  readonly after: JudgedReply
}

/** The base's replies to the same benchmark by the same judge. */
export function baseFinder(states: readonly Judged[]): (state: Judged) => Judged | undefined {
  const bases = new Map(
    states
      .filter(({ subject }) => isBase(subject))
      .map((state) => [keyOf(state.benchmark.name, state.judge), state]),
  )
  return ({ benchmark, judge }) => bases.get(keyOf(benchmark.name, judge))
}

export function pairsOf(base: Judged, state: Judged): { pairs: Pair[]; droppedUndecided: number } {
  const { decides } = measureOf(state.benchmark.role)
  const all = [...state.replies].flatMap(([key, after]) => {
    const before = base.replies.get(key)
    return before ? [{ before, after }] : []
  })
  const pairs = all.filter(({ before, after }) => decides(before.outcome) && decides(after.outcome))
  return { pairs, droppedUndecided: all.length - pairs.length }
}

/** The change of the benchmark's rate. */
export function compare(base: Judged, state: Judged): Omit<Comparison, 'holmP'> {
  const measure = measureOf(state.benchmark.role)
  const { pairs, droppedUndecided } = pairsOf(base, state)
  const found = pairedChange(promptsOf(pairs, measure.counts))
  const { a, b, c, d, n, difference, lower, upper, pValue, score, isRepeated, prompts } = found
  return {
    ...judgedKey(state),
    a,
    b,
    c,
    d,
    n,
    difference,
    lower,
    upper,
    pValue,
    droppedUndecided,
    score,
    ...(isRepeated && { repeated: { prompts, before: found.before!, after: found.after! } }),
  }
}

/** Pairs of prompts, each reply scored 0 or 1. */
export function promptsOf(
  pairs: readonly Pair[],
  counts: (outcome: Outcome) => boolean,
): PromptPair[] {
  const score = ({ outcome }: JudgedReply) => Number(counts(outcome))
  return [...Map.groupBy(pairs, ({ after }) => after.reply.sampleId).values()].map((group) => ({
    before: group.map(({ before }) => score(before)),
    after: group.map(({ after }) => score(after)),
  }))
}

/** Replies that began or ceased to count in the rate: as many as the paired test counts in `b` and `c`. */
export function flipsOf(base: Judged, state: Judged): Flip[] {
  const { counts } = measureOf(state.benchmark.role)
  return pairsOf(base, state)
    .pairs.filter(({ before, after }) => counts(before.outcome) !== counts(after.outcome))
    .map(({ before, after }) => ({
      ...judgedKey(state),
      sampleId: after.reply.sampleId,
      category: after.reply.category,
      prompt: after.reply.prompt,
      before: shown(before),
      after: shown(after),
    }))
}

/** The text is null where a refusal is due. */
function shown({ reply, outcome }: JudgedReply): Flip['before'] {
  return { outcome, text: reply.expected.kind === 'refuse' ? null : reply.text }
}

/** Accuracy after / accuracy before over the paired prompts; several epochs of a prompt are its mean. */
export function retentionOf(base: Judged, state: Judged): Results['retention'][number] {
  const scores = promptsOf(pairsOf(base, state).pairs, (outcome) => outcome === 'correct')
  const before = scores.map((score) => mean(score.before))
  const after = scores.map((score) => mean(score.after))
  // A fixed seed, so that the same rows give the same report.
  return { ...judgedKey(state), ...capabilityRetention(before, after, { seed: 0 }) }
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
