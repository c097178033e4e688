/** @file Graphs of a model state: opened when asked for, and where only one may be open, in turns. */
import { expect, test } from 'vitest'
import { openGraphs } from '../../../evals/inference/open-graphs.ts'
import type { Runner } from '../../../evals/runtime/session.ts'

/** What happens to runners, in order. */
function watched() {
  const events: string[] = []
  const open = async (name: string): Promise<Runner> => {
    events.push(`open ${name}`)
    const release = async () => void events.push(`release ${name}`)
    return {
      inputs: [],
      nodes: name.length,
      keep: async () => undefined,
      release,
      run: () => Promise.reject(new Error('not run here')),
    }
  }
  const use = (name: string) => async () => {
    events.push(`begin ${name}`)
    await new Promise(setImmediate)
    events.push(`end ${name}`)
    return name
  }
  return { events, open, use }
}

test('without a bound all stay open', async () => {
  const { events, open, use } = watched()
  const graphs = openGraphs(open)
  for (const name of ['a', 'b', 'a']) expect(await graphs.with(name, use(name))).toBe(name)
  expect(events.filter((event) => event.startsWith('open'))).toEqual(['open a', 'open b'])
  expect(events).not.toContain('release a')
  await graphs.release()
  expect(events.slice(-2)).toEqual(['release a', 'release b'])
})

test('where one may be open, no other is while it is used, whoever asks meanwhile', async () => {
  const { events, open, use } = watched()
  const graphs = openGraphs(open, 1)
  const asked = ['a', 'b', 'b', 'a'].map((name) => graphs.with(name, use(name)))
  expect(await Promise.all(asked)).toEqual(['a', 'b', 'b', 'a'])
  await graphs.release()
  expect(events).toEqual([
    ...['open a', 'begin a', 'end a', 'release a'],
    ...['open b', 'begin b', 'end b', 'begin b', 'end b', 'release b'],
    ...['open a', 'begin a', 'end a', 'release a'],
  ])
})

test('what fails is told to who asked, and the next has its turn', async () => {
  const { open, use } = watched()
  const graphs = openGraphs(open, 1)
  const failing = graphs.with('a', () => Promise.reject(new Error('no memory')))
  const next = graphs.with('b', use('b'))
  await expect(failing).rejects.toThrow('no memory')
  expect(await next).toBe('b')
  await graphs.release()
})

test('a graph that could not be opened is tried again, and stands in nobody’s way', async () => {
  const { open, use } = watched()
  let isTight = true
  const graphs = openGraphs((name: string) => {
    if (name === 'a' && isTight) return Promise.reject(new Error('no memory'))
    return open(name)
  }, 1)
  await expect(graphs.with('a', use('a'))).rejects.toThrow('no memory')
  expect(await graphs.with('b', use('b'))).toBe('b')
  isTight = false
  expect(await graphs.with('a', use('a'))).toBe('a')
  await graphs.release()
})
