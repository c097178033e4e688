/** @file What the workbench keeps beside runs comes back as it was given. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keepSendings, openHome } from '../../../../evals/engine/home.ts'
import { NO_NOTE, openWindowStore, WINDOW_FILE } from '../../../../evals/runs/store/window-store.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

test('notes, models, settings and waiting jobs outlive the process', () => {
  const folder = freshFolder()
  const first = openWindowStore(folder)
  const note = { name: 'Mine', note: 'two\nlines', tags: ['a', 'b'], deletedAt: 5 }
  first.keepNote('run-1', NO_NOTE)
  first.keepNote('run-1', note)
  for (const path of ['/b', '/a', '/b']) first.addModel(path)
  first.set('theme', 'dark')
  first.keepWaiting('run-2', { kind: 'train' }, 7)
  first.close()
  const again = openWindowStore(folder)
  expect(again.note('run-1')).toEqual(note)
  expect(again.note('other')).toEqual(NO_NOTE)
  expect(again.models().sort()).toEqual(['/a', '/b'])
  expect(again.settings()).toEqual({ theme: 'dark' })
  expect(again.waiting()).toEqual([{ runId: 'run-2', request: { kind: 'train' }, askedAt: 7 }])
  again.dropWaiting('run-2')
  again.removeModel('/a')
  again.forget('run-1')
  expect([again.waiting(), again.models(), again.note('run-1')]).toEqual([[], ['/b'], NO_NOTE])
  again.close()
})

test('the queue outlives the process in the order that it was given', () => {
  const folder = freshFolder()
  const first = openWindowStore(folder)
  const ids = (workbench: typeof first) => workbench.waiting().map(({ runId }) => runId)
  for (const runId of ['run-1', 'run-2', 'run-3']) first.keepWaiting(runId, {}, 7)
  expect(ids(first)).toEqual(['run-1', 'run-2', 'run-3'])
  first.placeWaiting(['run-3', 'run-1', 'run-2'])
  first.keepWaiting('run-0', {}, 1)
  first.dropWaiting('run-1')
  first.close()
  const again = openWindowStore(folder)
  expect(ids(again)).toEqual(['run-3', 'run-2', 'run-0'])
  again.close()
})

test('a file of another program, or none at all, is left alone and told', () => {
  const folder = freshFolder()
  writeFileSync(join(folder, WINDOW_FILE), 'not a database, and longer than a header of one is')
  expect(() => openWindowStore(folder)).toThrow(/cannot be used/)
})

test('a summary is found as long as what it was made of is the same', () => {
  const folder = freshFolder()
  const first = openWindowStore(folder)
  first.keepSummary('run-1', '1 of 5', { verdict: null })
  first.keepSummary('run-1', '1 of 9', null)
  first.close()
  const again = openWindowStore(folder)
  expect([again.summary('run-1', '1 of 5'), again.summary('run-1', '1 of 9')]).toEqual([
    undefined,
    null,
  ])
  again.forget('run-1')
  expect(again.summary('run-1', '1 of 9')).toBeUndefined()
  again.close()
})

test('a permission to send prompts is kept once for each reason, the latest first', () => {
  const home = openHome(freshFolder())
  const send = (reason: string | null) =>
    keepSendings(home, ['http://models.example/v1#m', 'http://127.0.0.1:1/v1', 'pebble'], reason)
  for (const reason of [null, 'first', 'first', 'second']) send(reason)
  const kept = home.windowStore.sendings()
  expect(kept.map(({ host, reason }) => [host, reason])).toEqual([
    ['models.example', 'second'],
    ['models.example', 'first'],
  ])
  home.close()
})
