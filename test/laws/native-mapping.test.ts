/** @file The law of mapped weights: what is mapped is what is read, to whoever looks, writes or trains, whatever becomes of the file. */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { loadModel } from '../../evals/models/load.ts'
import type { WeightPlace } from '../../evals/models/weights/storage.ts'
import {
  openFiles,
  mappedFloats,
  placeOf,
  readStored,
} from '../../evals/models/weights/stored-weights.ts'
import { load } from '../../evals/native/load.ts'
import { fillNormal, randomStream } from '../../evals/statistics/random.ts'
import { writeRandomModel } from '../bench/harness/random-model.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../doubles/models/tiny-checkpoint.ts'
import { tinyModel } from '../doubles/models/tiny-model.ts'

const found = load()
const title = found.addon
  ? 'mapped weights'
  : `mapped weights (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`

const SIZE = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, intermediate: 96, vocab: 64 }
/** More than any page, and no multiple of one. */
const LENGTH = 100_003
const numbers = (seed = 1) => fillNormal(new Float32Array(LENGTH), randomStream(seed, 'mapped'))

function written(values = numbers(), path = join(freshFolder(), 'weights')): string {
  writeFileSync(path, values)
  return path
}
const mapped = (path: string, offset = 0, bytes = 4 * LENGTH - offset) =>
  found.addon!.mapFile(path, offset, bytes)
const floats = (path: string, offset = 0, bytes = 4 * LENGTH - offset) =>
  new Float32Array(mapped(path, offset, bytes)!)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** What was let go of is given back by the collector and the loop together. */
async function collected(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect()
    await setImmediate()
  }
}

describe.skipIf(!found.addon)(title, () => {
  test.each([0, 4, 8, 4092, 4096, 4100, 16_384, 65_540, 4 * LENGTH - 4])(
    'from byte %i on they are the numbers that are read, one of them or several pages',
    (offset) => {
      const [path, values] = [written(), numbers()]
      const rest = LENGTH - offset / 4
      for (const count of [1, 2, 1023, 1024, 1025, 70_001, rest].filter((each) => each <= rest)) {
        const buffer = mapped(path, offset, 4 * count)!
        expect(buffer.byteLength).toBe(4 * count)
        expect(new Float32Array(buffer)).toEqual(values.subarray(offset / 4, offset / 4 + count))
      }
    },
  )

  test('what is written into them is seen by nobody else', () => {
    const path = written()
    const [ours, other] = [floats(path, 4000), floats(path, 4000)]
    for (let i = 0; i < ours.length; i++) ours[i] = -i
    expect(ours[70_000]).toBe(-70_000)
    expect(other).toEqual(numbers().subarray(1000))
    expect(floats(path)).toEqual(numbers())
  })

  test('a range beyond the file, an offset between two numbers, no bytes and no file give none', () => {
    const path = written()
    expect(mapped(path, 4, 4 * LENGTH)).toBeNull()
    expect(mapped(path, 4 * LENGTH, 4)).toBeNull()
    expect(mapped(path, 2 ** 52, 4)).toBeNull()
    expect(mapped(path, 2, 4)).toBeNull()
    expect(mapped(path, -4, 8)).toBeNull()
    expect(mapped(path, 0, 0)).toBeNull()
    expect(mapped(join(path, '..'), 0, 4)).toBeNull()
    expect(mapped(`${path}-that-is-not-there`, 0, 4)).toBeNull()
    expect(mapped(path, 4, 4 * LENGTH - 4)).not.toBeNull()
  })

  test('they outlive their file: deleted, or another in its place', () => {
    const path = written()
    const before = [floats(path), floats(path, 8)]
    renameSync(written(numbers(2)), path)
    const after = floats(path)
    rmSync(path)
    expect(before).toEqual([numbers(), numbers().subarray(2)])
    expect(after).toEqual(numbers(2))
  })

  test('twenty thousand come and go', async () => {
    const path = written()
    const [, second] = numbers()
    for (let round = 0; round < 4; round++) {
      const seen = Array.from({ length: 5000 }, () => floats(path, 4, 4000)[0])
      expect(new Set(seen)).toEqual(new Set([second]))
      await collected()
    }
  })

  test('too many at once are refused before the system has no more, and can be had again', async () => {
    const path = written()
    const all: ArrayBuffer[] = []
    for (let next = mapped(path, 0, 4); next && all.length < 65_530; next = mapped(path, 0, 4))
      all.push(next)
    expect(all.length).toBeGreaterThan(10_000)
    expect(all.length).toBeLessThan(20_000)
    all.length = 0
    await collected()
    expect(mapped(path)).not.toBeNull()
  })
})

describe.skipIf(!found.addon)(`${title} of a checkpoint`, () => {
  const where = { name: 'w', shape: [25_000], offset: 8, bytes: 100_000 } as const
  const stored = (file: string) => ({ ...where, file, storage: 'F32' as const })

  test('are those that are read, and none where the path leads to another file', async () => {
    const path = written()
    const files = await openFiles([path])
    const weight = stored(path)
    const place = placeOf(files, weight)!
    const before = mappedFloats(place)
    expect(before).toEqual(readStored(files, weight))
    expect(before).toHaveProperty('byteOffset', 0)
    expect(before!.buffer.byteLength).toBe(weight.bytes)
    renameSync(written(numbers(2)), path)
    expect(mappedFloats(place)).toBeUndefined()
    expect(before).toEqual(readStored(files, weight))
    await files.close()
  })

  test('are none where the file changes while it is mapped, nor in a smaller type', () => {
    const path = written()
    const answers = [true, false]
    const place: WeightPlace = { ...stored(path), isThere: () => answers.shift()! }
    expect(mappedFloats(place)).toBeUndefined()
    expect(answers).toEqual([])
    expect(mappedFloats({ ...place, storage: 'BF16', isThere: () => true })).toBeUndefined()
    expect(mappedFloats({ ...place, isThere: () => true })).toHaveLength(25_000)
  })
})

describe.skipIf(!found.addon)(`a model with ${title}`, () => {
  test('maps a weight once for all who hold it, and reads it where its file was replaced', async () => {
    const path = await writeTinyCheckpoint(freshFolder(), { tokenizer: 'word' })
    await writeRandomModel(path, SIZE, 5, 'F32')
    const mapping = vi.spyOn(found.addon!, 'mapFile')
    const { weights, open } = await loadModel(path)
    const [name] = [...weights.keys()]
    const held = weights.get(name!)!
    expect(weights.get(name!)).toBe(held)
    expect(mapping).toHaveBeenCalledTimes(1)
    const copy = Float32Array.from(held)
    const [file] = readdirSync(path).filter((each) => each.endsWith('.safetensors'))
    writeFileSync(join(path, 'other'), 'other')
    renameSync(join(path, 'other'), join(path, file!))
    const read = weights.get(name!)!
    expect(read).not.toBe(held)
    expect(read).toEqual(copy)
    await open.close()
    mapping.mockRestore()
  })
})

describe.skipIf(!found.addon)(`training from ${title}`, () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    vi.resetModules()
  })

  const { options } = tinyModel()
  /** As it is loaded where the addon is switched on or off: what a whole run ends in, and how often a file was mapped. */
  async function trained(state: 'on' | 'off', path: string, method: string) {
    vi.stubEnv('TOUCHSTONE_NATIVE', state)
    vi.resetModules()
    const [{ addon }, { loadModel }, { trainTiny }] = await Promise.all([
      import('../../evals/native/load.ts'),
      import('../../evals/models/load.ts'),
      import('../doubles/training/tiny-training.ts'),
    ])
    const native = addon()
    const mapping = native && vi.spyOn(native, 'mapFile')
    const { model, weights, open } = await loadModel(path)
    const tiny = { model, weights: weights as Map<string, Float32Array>, options }
    const { digest, reports } = await trainTiny({ method, threads: 2, tiny })
    await open.close()
    const held = mapping?.mock.results.filter(({ value }) => value instanceof ArrayBuffer)
    return { outcome: { digest, reports }, held: held?.length ?? 0 }
  }

  test.each(['lora', 'dora', 'pissa', 'full', 'ggpo'])('%s: the same bits', async (method) => {
    const path = await writeTinyCheckpoint(freshFolder(), { tokenizer: 'word' })
    await writeRandomModel(path, SIZE, 5, 'F32')
    const [ours, theirs] = [await trained('on', path, method), await trained('off', path, method)]
    expect(ours.outcome).toEqual(theirs.outcome)
    expect(ours.held).toBeGreaterThan(10)
    expect(theirs.held).toBe(0)
  })
})
