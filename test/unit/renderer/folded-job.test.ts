import { expect, test } from 'vitest'
import type { JobView } from '../../../evals/contract/calls/jobs.ts'
import type { JobEvent, JobEventBody } from '../../../evals/contract/events.ts'
import { foldedJob } from '../../../renderer/stores/folded-job.ts'

const job: JobView = {
  runId: 'r',
  kind: 'audit',
  title: 'An audit',
  status: 'stopping',
  position: null,
  phases: [],
  startedAt: 0,
  at: 10,
  seq: 3,
  error: null,
  canResume: false,
  command: '',
}
const event = (seq: number, body: JobEventBody, runId = 'r'): JobEvent => ({
  runId,
  seq,
  at: 10 + seq,
  ...body,
})
const begin = event(4, { type: 'phase-start', phase: 'train', total: 9, unit: 'step' })
const step = event(5, { type: 'phase-progress', phase: 'train', done: 2 })

test('progress goes on from what the engine said; the queue’s own word stands', () => {
  const after = foldedJob(job, [begin, step])
  expect(after).toMatchObject({
    status: 'stopping',
    seq: 5,
    at: 15,
    phases: [{ name: 'train', done: 2, total: 9 }],
  })
})

test('what was seen before, and what others said, changes nothing', () => {
  const old = event(3, { type: 'phase-start', phase: 'old', unit: 'step' })
  const other = event(9, { type: 'phase-start', phase: 'other', unit: 'step' }, 'another')
  expect(foldedJob(job, [old, other])).toBe(job)
})

test('the end is the end, with its error', () => {
  const error = { code: 'x', message: 'It broke.', remedy: 'Mend it.' }
  const end = event(6, { type: 'job-end', outcome: 'failed', error })
  expect(foldedJob(job, [begin, step, end])).toMatchObject({ status: 'failed', error, phases: [] })
})
