/** @file What of a run is told while it runs: answers that an earlier run kept are not taken in silence. */
import { expect, test } from 'vitest'
import { noticeOf } from '../../../evals/contract/notices.ts'

const end = {
  type: 'evaluation-end',
  subject: { arm: 'base', seed: 0, step: 0 },
  benchmark: 'house-refusal',
  samples: 24,
} as const

test('kept answers are told with their runs and how many were checked; what was asked is not', () => {
  const origin = { from: 'cache', runs: ['eval-1'], kept: 20, checked: 4 } as const
  expect(noticeOf({ ...end, origin: { ...origin, runs: [...origin.runs] } })).toEqual({
    level: 'info',
    message:
      'base: of house-refusal 20 answers of run eval-1 were not asked for again; 4 that were are the same. --ask-again asks for all.',
  })
  expect(noticeOf(end)).toBeUndefined()
  expect(noticeOf({ ...end, origin: { from: 'base', checked: 8 } })).toBeUndefined()
})
