/** @file Methods at the same loss, as the window's table says them: the sign is that of a change from the first to the other. */
import { expect, test } from 'vitest'
import type { MatchedSeed } from '../../../evals/contract/results.ts'
import type { BenchmarkRow } from '../../../evals/contract/rows.ts'
import { matchedRows } from '../../../renderer/charts/matched-rows.ts'

const benchmark: BenchmarkRow = {
  name: 'r',
  title: 'Refusal',
  samples: 100,
  digest: '',
  maxNewTokens: 8,
  role: 'refusal',
  judges: ['first', 'second'],
}
/** The reference refused 80 of 100, the other 50: a = 50, b = 30. */
const pair: MatchedSeed['pairs'][number] = {
  arm: 'full',
  reference: 'lora',
  referenceStep: 9,
  seed: 0,
  step: 4,
  benchmark: 'r',
  judge: 'first',
  a: 50,
  b: 30,
  c: 0,
  d: 20,
  n: 100,
  difference: 0.3,
  lower: 0.2,
  upper: 0.4,
  pValue: 0,
  droppedUndecided: 0,
}

test('a rate that is lower in the other method is a fall, by the first judge alone', () => {
  const pairs = [pair, { ...pair, judge: 'second' }, { ...pair, benchmark: 'unknown' }]
  expect(matchedRows({ pairs }, [benchmark])).toEqual([
    {
      title: 'Refusal',
      reference: 'lora',
      arm: 'full',
      n: 100,
      change: { estimate: -0.3, lower: -0.4, upper: -0.2 },
    },
  ])
})

test('where nothing was decided by both there is no change', () => {
  const pairs = [{ ...pair, n: 0, difference: null, lower: null, upper: null }]
  expect(matchedRows({ pairs }, [benchmark])[0]!.change).toBeUndefined()
})
