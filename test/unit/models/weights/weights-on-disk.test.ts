/** @file Weights that were made for a state answer from their file with the bits that they have from memory, and the file goes. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptyCache, openCached } from '../../../../evals/inference/cached-graph.ts'
import { prefill } from '../../../../evals/inference/feeds.ts'
import { openBase, type Base } from '../../../../evals/measure/base.ts'
import {
  LazyWeights,
  openedWith,
  overlaid,
} from '../../../../evals/models/weights/small-weights.ts'
import { onDisk } from '../../../../evals/models/weights/weights-on-disk.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

let base: Base
beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
})
afterAll(() => base.open.close())

const adapted = () =>
  [...base.model.weights.values()].flatMap(({ name, module }) => (module ? [name] : []))
/** Read once: memory never holds two of them. */
const make = (name: string) => base.weights.get(name)!.map((x, i) => x * (1 + (i % 7) / 50))
const placeIn = () => join(freshFolder(), 'asked.f32')

async function answered(frozen: ReadonlyMap<string, Float32Array>) {
  const session = await openCached({ model: base.model, frozen }, base.device, 64)
  const { past, present } = emptyCache(session.cache, 2, 8)
  const prompts = [{ ids: [5, 9, 12, 7] }, { ids: [3, 4] }]
  const feeds = { ...past, ...prefill(prompts, 4, 0) }
  const { token, logProb } = await session.run('next', feeds, present)
  await session.release()
  return { tokens: [...token!.data], logProbs: [...logProb!.data] }
}

test('the same bits as from memory, and others than the base’s', async () => {
  const path = placeIn()
  const names = adapted()
  const kept = (await onDisk(base.weights, { names, make, leastBytes: 0 }, path))!
  for (const name of names) {
    expect(openedWith(kept.weights, name)).toMatchObject({ file: path })
    expect(kept.weights.get(name)).toEqual(make(name))
  }
  expect(statSync(path).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600)
  const found = await answered(kept.weights)
  await kept.remove()
  expect(existsSync(path)).toBe(false)
  const changed = new Map(names.map((name) => [name, make(name)]))
  expect(found).toEqual(await answered(overlaid(base.weights, changed)))
  expect(found).not.toEqual(await answered(base.weights))
})

test('few bytes, a base in memory and a file that cannot be written stay in memory', async () => {
  const names = adapted()
  expect(await onDisk(base.weights, { names, make }, placeIn())).toBeUndefined()
  const held = new Map(names.map((name) => [name, base.weights.get(name)!]))
  expect(await onDisk(held, { names, make, leastBytes: 0 }, placeIn())).toBeUndefined()
  const read = (name: string) => held.get(name)!
  const lazy = new LazyWeights(names, new Map(), read)
  expect(await onDisk(lazy, { names, make, leastBytes: 0 }, placeIn())).toBeUndefined()
  const path = placeIn()
  mkdirSync(join(path, 'in the way'), { recursive: true })
  const given = { names, make, leastBytes: 0 }
  expect(await onDisk(base.weights, given, path)).toBeUndefined()
})
