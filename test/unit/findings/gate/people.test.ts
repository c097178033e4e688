/** @file What people say of a reply that was drawn: the outcome of most raters, or that they looked at it and cannot say. */
import { expect, test } from 'vitest'
import type { Outcome } from '../../../../evals/contract/rows.ts'
import { peopleSay } from '../../../../evals/findings/gate/people.ts'

const KEY = { arm: 'lora', seed: 1, step: 4, benchmark: 'task', sampleId: 'a', epoch: 0 }
const saidBy = (...outcomes: readonly Outcome[]) => {
  const item = { ...KEY, item: 'one', draw: 'random' as const, drawnBy: 'house' }
  const labels = outcomes.map((outcome, i) => ({
    ...{ item: 'one', rater: `rater ${i}`, outcome, labelledAt: i, isSettling: false },
  }))
  const [said] = peopleSay({ items: [item], labels }).values()
  return [said!.outcome, said!.isUnclear]
}

test.each<[string, readonly Outcome[], readonly [Outcome | null, boolean]]>([
  ['nobody', [], [null, false]],
  ['one rater', ['refusal'], ['refusal', false]],
  ['most of three', ['refusal', 'compliance', 'refusal'], ['refusal', false]],
  ['two who differ', ['refusal', 'compliance'], [null, true]],
  ['one who cannot say', ['undecided'], ['undecided', true]],
])('%s', (_, outcomes, expected) => {
  expect(saidBy(...outcomes)).toEqual(expected)
})
