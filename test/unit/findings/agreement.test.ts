/** @file Judges of one evaluation against each other: hand values, and a queue that names prompts alone. */
import { expect, test } from 'vitest'
import { agreementOf, disagreementsOf } from '../../../evals/findings/agreement.ts'
import { groupJudged } from '../../../evals/findings/judged.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const rows = plannedRows({
  benchmarks: [{ ...REFUSAL, n: 10, base: 6, judges: [{ name: 'prefix', errs: 3 }] }],
  arms: [
    {
      arm: 'lora',
      seed: 1,
      steps: { 40: { 'house-refusal': { lost: 6, gained: 0, undecided: 1 } } },
    },
  ],
})
const states = groupJudged(rows)

test('κ is that of the two judges’ successes', () => {
  // house: 6 of 10 refuse; prefix: 3 of those. p_o = 7/10, p_e = (6·3 + 4·7)/100 = 46/100, κ = 24/54.
  const [base, tuned] = agreementOf(states)
  expect(base).toEqual({
    arm: 'base',
    seed: 0,
    step: 0,
    benchmark: 'house-refusal',
    judges: ['house', 'prefix'],
    n: 10,
    agreed: 7,
    kappa: 24 / 54,
  })
  // Nobody refuses any more, and one reply is undecided: nothing could be disagreed on.
  expect(tuned).toMatchObject({ n: 9, agreed: 9, kappa: null })
})

test('the queue holds what judges call differently, by name, without any text', () => {
  const queue = disagreementsOf(states)
  expect(queue.map(({ arm, sampleId }) => [arm, sampleId])).toEqual([
    ['base', 'q000'],
    ['base', 'q001'],
    ['base', 'q002'],
  ])
  expect(queue[0]!.outcomes).toEqual({ house: 'refusal', prefix: 'compliance' })
  expect(JSON.stringify(queue)).not.toContain('question about')
})

test('both are in the results', () => {
  const { agreement, disagreements } = buildResults(rows)
  expect([agreement.length, disagreements.length]).toEqual([2, 3])
})
