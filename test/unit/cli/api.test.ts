/** @file The API of programs: events for every reader, errors with their codes, an abort. Whole runs: test/long/installed.test.ts. */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { compare, evaluate, RunError } from '../../../evals/bin/api.ts'
import { createEventLog } from '../../../evals/bin/api/event-log.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const all = async <T>(events: AsyncIterator<T>): Promise<T[]> => {
  const found: T[] = []
  for (let next = await events.next(); !next.done; next = await events.next())
    found.push(next.value)
  return found
}

describe('events', () => {
  test('every reader gets all, from the first on, whenever it comes', async () => {
    const log = createEventLog<number>()
    const early = all(log.read())
    log.add(1)
    await new Promise(setImmediate)
    log.add(2)
    const late = all(log.read())
    log.add(3)
    log.end()
    expect(await Promise.all([early, late, all(log.read())])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test('what went wrong is thrown after what came before it', async () => {
    const log = createEventLog<number>()
    log.add(1)
    log.fail(new Error('lost'))
    const events = log.read()
    expect(await events.next()).toEqual({ done: false, value: 1 })
    await expect(events.next()).rejects.toThrow('lost')
  })
})

test('a call that cannot be done rejects with the code and remedy of the command line', async () => {
  const error = await compare('/never/before', '/never/after').catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(RunError)
  expect(error).toMatchObject({ code: expect.stringMatching(/^\w+\.\w/u) as string })
  expect((error as RunError).remedy).not.toBe('')
})

test('an abort before the start starts nothing, and leaves nothing', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('touchstone-api-'))
  const outDir = freshFolder()
  const signal = AbortSignal.abort(new Error('not now'))
  const run = evaluate({ model: 'pebble' }, { outDir, signal })
  await expect(run.finished).rejects.toThrow('not now')
  await expect(all(run[Symbol.asyncIterator]())).rejects.toThrow('not now')
  expect(readdirSync(outDir)).toEqual([])
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('touchstone-api-'))
  expect(after.filter((name) => !before.includes(name))).toEqual([])
})
