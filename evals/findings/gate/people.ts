/** @file What people say of replies: each rater's last label, and the outcome that most raters name. */
import type { Label, LabelItem } from '../../contract/evidence.ts'
import { keyOf, replyKey, stateKey } from '../../contract/keys.ts'
import type { BenchmarkRow, Outcome, SubjectKey } from '../../contract/rows.ts'
import type { LabelledReply } from './compared-run.ts'

/** Item → rater → outcome. */
export type LastLabels = ReadonlyMap<string, ReadonlyMap<string, Outcome>>

/** Each rater's last label of each item. */
export function lastLabels(labels: readonly Label[]): LastLabels {
  const byItem = new Map<string, Map<string, Outcome>>()
  for (const { item, rater, outcome } of labels) {
    byItem.set(item, (byItem.get(item) ?? new Map<string, Outcome>()).set(rater, outcome))
  }
  return byItem
}

type SaidReply = Pick<LabelledReply, 'outcome' | 'isChosen' | 'drawnBy' | 'isUnclear' | 'said'>

interface Labelled {
  readonly items: readonly LabelItem[]
  readonly labels: readonly Label[]
}

/** By reply, everything that was drawn. */
export function peopleSay({ items, labels }: Labelled): ReadonlyMap<string, SaidReply> {
  const said = lastLabels(labels)
  return new Map(
    items.map(({ draw, drawnBy, ...key }) => {
      const own = said.get(key.item) ?? new Map<string, Outcome>()
      const outcomes = [...own.values()]
      const outcome = majority(outcomes) ?? null
      const isUnclear = outcome === 'undecided' || (outcome === null && outcomes.length > 0)
      const isChosen = draw === 'chosen'
      return [replyKey(key), { outcome, isChosen, drawnBy, isUnclear, said: own }]
    }),
  )
}

/**
 * Whether what counts of two replies to a prompt is said by people who looked at both: one may draw the line elsewhere than another,
 * and where it runs otherwise before than after, labels hide a change as a judge may.
 */
export function isByTheSame(before: SaidReply, after: SaidReply): boolean {
  if (!before.said || !after.said) return true
  const [one, two] = [before.said, after.said]
  const both = [...one.keys()].filter((rater) => two.has(rater))
  const isTheirs = ({ outcome, said }: SaidReply) => {
    const theirs = majority(both.map((rater) => said!.get(rater)!))
    return theirs === undefined || theirs === outcome
  }
  return both.length > 0 && isTheirs(before) && isTheirs(after)
}

/** The outcome with most raters; undefined in a tie. */
function majority(outcomes: readonly Outcome[]): Outcome | undefined {
  const counts = [...Map.groupBy(outcomes, (outcome) => outcome)]
    .map(([outcome, { length }]) => ({ outcome, length }))
    .sort((a, b) => b.length - a.length)
  const [first, second] = counts
  return first && first.length > (second?.length ?? 0) ? first.outcome : undefined
}

/** What was drawn of a state's replies. */
export function labelsByState(
  { items, labels }: Labelled,
  benchmarks: readonly BenchmarkRow[],
): (state: SubjectKey) => LabelledReply[] {
  const said = peopleSay({ items, labels })
  const contexts = new Map(benchmarks.map(({ name, context }) => [name, context]))
  const byState = Map.groupBy(items, stateKey)
  return (state) =>
    (byState.get(stateKey(state)) ?? []).map((item) => {
      const { benchmark: name, sampleId, epoch } = item
      const context = contexts.get(name)
      const of = context ? { benchmark: context.of, context: context.name } : { benchmark: name }
      return { ...of, sampleId, epoch, ...said.get(replyKey(item))! }
    })
}

export const labelKey = ({ sampleId, epoch }: Pick<LabelledReply, 'sampleId' | 'epoch'>) =>
  keyOf(sampleId, epoch)
