/**
 * @file The law of products with ggml's blocks whose other factor is rounded to int8: the addon gives, with each set of
 * instructions, the bits of the specification in TypeScript; whole numbers come out whole; what is not finite is not hidden; the
 * result is near the exact one; and every place says that it is approximate.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BLOCK_FORMS, type BlockName } from '../../evals/graph/storage/blocks.ts'
import { storageFor } from '../../evals/finetune/training/int8-forward.ts'
import { askedStorage } from '../../evals/models/weights/small-weights.ts'
import { STORAGE_FORMATS } from '../../evals/models/weights/dequantise.ts'
import { loadModel } from '../../evals/models/load.ts'
import { load, withInstructions } from '../../evals/native/load.ts'
import { openBase } from '../../evals/measure/base.ts'
import { blocksFrom, ran } from '../doubles/graph/block-products.ts'
import { rounded, roundedProducts } from '../doubles/graph/rounded-products.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../doubles/models/tiny-gguf.ts'

const found = load()
const title = found.addon
  ? 'products with blocks in int8'
  : `products with blocks in int8 (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const NAMES = Object.keys(BLOCK_FORMS) as BlockName[]
const { stream, randomBlocks, oddBlocks } = blocksFrom(5)
const normal = (count: number, size = 1) =>
  Float32Array.from({ length: count }, () => size * stream.normal())

describe('the specification', () => {
  test('whole numbers up to 127 are their own codes, halves go to the even one', () => {
    const x = Float32Array.from({ length: 32 }, (_, i) => (i === 0 ? -127 : i * 4 - 60))
    expect(rounded(x)).toEqual({ codes: Array.from(x), scale: 1 })
    x.fill(0).set([127, 0.5, 1.5, 2.5, -0.5, -1.5])
    expect(
      rounded(x)
        .codes.slice(0, 6)
        .map((code) => code + 0),
    ).toEqual([127, 0, 2, 2, 0, -2])
  })

  test('numbers that are not finite, zero, or too small for a scale', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(rounded(new Float32Array(32).fill(1).fill(bad, 7, 8))).toEqual({
        codes: new Array<number>(32).fill(0),
        scale: NaN,
      })
    for (const small of [0, 2 ** -149, 2 ** -126])
      expect(rounded(new Float32Array(32).fill(small))).toMatchObject({ scale: 0 })
  })
})

describe.skipIf(!found.addon)(title, () => {
  const sets = found.addon?.knownInstructions() ?? []
  afterAll(() => void withInstructions(found.addon!, sets[0]))

  describe.each(sets)('%s', (instructions) => {
    beforeAll(() => void withInstructions(found.addon!, instructions))

    const both = async (
      name: BlockName,
      shape: readonly [number, number],
      bytes: Uint8Array,
      x: Float32Array,
    ) => ({
      y: (await ran(name, shape, bytes, x, [0], true)).y,
      expected: roundedProducts(name, shape, bytes, x),
    })

    test.each(NAMES)('%s: the bits of the specification, in any company', async (name) => {
      const [rows, columns] = [38, 768]
      const bytes = randomBlocks(name, rows * columns)
      const x = normal(5 * columns)
      const { y, expected } = await both(name, [rows, columns], bytes, x)
      expect(y).toEqual(expected)
      const alone = await ran(
        name,
        [rows, columns],
        bytes,
        x.slice(2 * columns, 3 * columns),
        [0],
        true,
      )
      expect(alone.y).toEqual(expected.slice(2 * rows, 3 * rows))
    })

    test.each([
      [1, 32],
      [3, 288],
      [5, 544],
    ])('%i rows of %i numbers', async (rows, columns) => {
      for (const name of ['Q4_0', 'Q4_1', 'Q8_0'] as const) {
        const bytes = randomBlocks(name, rows * columns)
        const { y, expected } = await both(name, [rows, columns], bytes, normal(2 * columns))
        expect(y).toEqual(expected)
      }
    })

    test('no rows of x', async () => {
      const { y } = await ran(
        'Q8_0',
        [4, 32],
        randomBlocks('Q8_0', 128),
        new Float32Array(0),
        [0],
        true,
      )
      expect(y).toEqual(new Float32Array(0))
    })

    test('the largest codes of both sides: nothing is cut off', async () => {
      const bytes = new Uint8Array(34 * 2)
      for (const block of [0, 34]) bytes.set([0, 0x3c], block)
      bytes.fill(0x80, 2, 34)
      bytes.fill(0x7f, 36)
      const x = new Float32Array(64).fill(127)
      x.fill(-127, 32)
      const { y } = await ran('Q8_0', [2, 32], bytes, x, [0], true)
      expect([...y]).toEqual([-128, 127, 128, -127].map((code) => 32 * 127 * code))
    })

    test('numbers that are not finite, zero, tiny and huge', async () => {
      const columns = 64
      const odd = [NaN, Infinity, -Infinity, 0, -0, 2 ** -149, 2 ** -126, 3e38, 1e-30]
      const x = normal(odd.length * columns)
      for (const [row, value] of odd.entries()) {
        if (row > 2) x.fill(value, row * columns, row * columns + 32)
        else x[row * columns + 40] = value
      }
      for (const name of ['Q4_0', 'Q4_1', 'Q5_1', 'Q8_0'] as const) {
        const bytes = randomBlocks(name, 6 * columns)
        const { y, expected } = await both(name, [6, columns], bytes, x)
        expect(y).toEqual(expected)
        expect(y.slice(0, 18).every(Number.isNaN)).toBe(true)
        expect(y.slice(18, 42).every(Number.isFinite)).toBe(true)
      }
    })

    test.each(NAMES)('%s: scales that are zero, tiny, huge or no numbers', async (name) => {
      const { halves, numbers, bytes } = oddBlocks(name)
      const { y, expected } = await both(name, [halves.length, numbers], bytes, normal(numbers))
      expect(y).toEqual(expected)
    })
  })

  test.each(NAMES)('%s: near the exact product', async (name) => {
    const [rows, columns] = [16, 1024]
    const bytes = randomBlocks(name, rows * columns)
    const x = normal(3 * columns)
    const [exact, near] = [
      await ran(name, [rows, columns], bytes, x),
      await ran(name, [rows, columns], bytes, x, [0], true),
    ]
    const wide = new Float32Array(rows * columns)
    STORAGE_FORMATS[name].decode(bytes, wide)
    near.y.forEach((value, at) => {
      const [row, i] = [at % rows, Math.floor(at / rows)]
      // At most half a step of each block of 32, times the numbers of the matrix.
      let bound = 1e-3
      for (let k = 0; k < columns; k++) {
        const block = x.subarray(i * columns + (k & ~31), i * columns + (k & ~31) + 32)
        bound +=
          (0.501 * Math.max(...block.map(Math.abs)) * Math.abs(wide[row * columns + k]!)) / 127
      }
      expect(Math.abs(value - exact.y[at]!)).toBeLessThan(bound)
    })
    expect(near.y).not.toEqual(exact.y)
  })

  describe('a GGUF model', () => {
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'touchstone-blocks-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('is asked in int8, trained exactly, and named as another base', async () => {
      const path = join(folder, 'mixed.gguf')
      await writeFile(path, ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
      const { open, model, weights } = await loadModel(path, 'blocks-int8')
      const name = 'model.layers.0.self_attn.o_proj.weight'
      expect(askedStorage(weights)(name)).toBe('product:Q4_0')
      expect(storageFor({ model, weights })(name)).toBe('Q4_0')
      await open.close()
      const digests: string[] = []
      for (const precision of ['fp32', 'blocks', 'blocks-int8'] as const) {
        const base = await openBase(path, { name: 'cpu', threads: 1 }, 1, precision)
        digests.push(base.digest)
        await base.open.close()
      }
      expect(digests[1]).toBe(digests[0])
      expect(digests[2]).not.toBe(digests[0])
    })
  })
})
