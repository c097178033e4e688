/** @file Of a folder's unfinished runs only the one that is being written is called running. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writtenRun } from '../../../evals/runs/databases.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { lockFolder } from '../../../evals/runs/store/lock.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { engine } from '../../doubles/rows/job-events.ts'

test('a run that was left open is not the one that another process writes', () => {
  const folder = freshFolder()
  const store = openStore(join(folder, 'touchstone.db'))
  const say = (runId: string, seq: number, at: number, body: JobEventBody) =>
    store.sink.event({ runId, seq, at, ...body })
  const start = { kind: 'eval', title: 't', command: 'c', config: {}, engine }
  for (const [i, runId] of ['left', 'resumed', 'ended'].entries()) {
    say(runId, 1, 10 + i, { type: 'job-start', ...start })
  }
  say('ended', 2, 50, { type: 'job-end', outcome: 'done' })
  expect(writtenRun(folder, store)).toBeUndefined()
  const unlock = lockFolder(folder)
  expect(writtenRun(folder, store)).toBe('resumed')
  say('left', 2, 60, { type: 'job-resume', engine })
  expect(writtenRun(folder, store)).toBe('left')
  unlock()
  expect(writtenRun(folder, store)).toBeUndefined()
  store.close()
})
