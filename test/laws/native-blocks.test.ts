/**
 * @file The law of products with matrices in ggml's blocks: the addon reads the same numbers as TypeScript, bit for bit; a product is
 * that of these numbers in float64 up to float32's rounding, and has the same bits whatever rows stand beside; a GGUF model
 * has in blocks the weights, and gives the logits, that it has in float32.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { gradients } from '../../evals/graph/gradient.ts'
import { BLOCK_FORMS, blockRowBytes, type BlockName } from '../../evals/graph/storage/blocks.ts'
import { emptyCache, openCached, type CachedSession } from '../../evals/inference/cached-graph.ts'
import type { GeneratedTokens } from '../../evals/inference/decoding.ts'
import { prefill } from '../../evals/inference/feeds.ts'
import { generate } from '../../evals/inference/generate.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { writeGgufModel } from '../../evals/models/formats/gguf/write-gguf-model.ts'
import { loadModel } from '../../evals/models/load.ts'
import { modelPath } from '../../evals/models/model-path.ts'
import { sourcesOf } from '../../evals/models/model-sources.ts'
import { STORAGE_FORMATS } from '../../evals/models/weights/dequantise.ts'
import { smallOf, type Precision } from '../../evals/models/weights/small-weights.ts'
import { load, withInstructions } from '../../evals/native/load.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { blocksFrom, ran } from '../doubles/graph/block-products.ts'
import { writeRandomGguf } from '../bench/harness/random-gguf.ts'
import { FIXTURES } from '../doubles/models/golden-llama.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../doubles/models/tiny-gguf.ts'

const found = load()
const title = found.addon
  ? 'products with blocks'
  : `products with blocks (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const device = { name: 'cpu', threads: 2 } as const
const NAMES = Object.keys(BLOCK_FORMS) as BlockName[]
const { cases: FILES } = JSON.parse(readFileSync(join(FIXTURES, 'gguf/cases.json'), 'utf8')) as {
  cases: string[]
}
const { stream, randomBlocks, oddBlocks } = blocksFrom(3)

const wideOf = (name: BlockName, bytes: Uint8Array, count: number): Float32Array => {
  const wide = new Float32Array(count)
  STORAGE_FORMATS[name].decode(bytes, wide)
  return wide
}

test('the forms are those that files are read with', () => {
  for (const name of NAMES) {
    const { ggml, elementsPerBlock, bytesPerBlock } = STORAGE_FORMATS[name]
    const form = { ggml, numbers: elementsPerBlock, bytes: bytesPerBlock }
    expect(BLOCK_FORMS[name]).toEqual(form)
  }
})

test('rows that are no whole blocks are refused', () => {
  expect(() => blockRowBytes('Q4_K', 288)).toThrow(/rows of 288 numbers/)
})

describe.skipIf(!found.addon)(title, () => {
  const sets = found.addon?.knownInstructions() ?? []
  afterAll(() => void withInstructions(found.addon!, sets[0]))

  describe.each(sets)('%s', (instructions) => {
    beforeAll(() => void withInstructions(found.addon!, instructions))

    test.each(NAMES)('%s: the numbers, and products with them', async (name) => {
      const [rows, columns, count] = [37, 1280, 23]
      const bytes = randomBlocks(name, rows * columns)
      const wide = wideOf(name, bytes, rows * columns)
      const x = Float32Array.from({ length: count * columns }, () => stream.normal())
      const picked = [36, 0, 5, 5]
      const { y, table } = await ran(name, [rows, columns], bytes, x, picked)
      expect(table).toEqual(
        Float32Array.from(
          picked.flatMap((row) => [...wide.subarray(row * columns, (row + 1) * columns)]),
        ),
      )
      for (let i = 0; i < count; i++)
        for (let row = 0; row < rows; row++) {
          let [sum, size] = [0, 0]
          for (let k = 0; k < columns; k++) {
            const product = x[i * columns + k]! * wide[row * columns + k]!
            sum += product
            size += Math.abs(product)
          }
          // Σ|x·w|·2⁻²⁴ a rounding; lanes keep sums short.
          expect(Math.abs(y[i * rows + row]! - sum)).toBeLessThanOrEqual(columns * 2 ** -24 * size)
        }
    })

    test.each(NAMES)(
      '%s: a row has the same bits alone, among few and among many',
      async (name) => {
        const [rows, columns] = [62, BLOCK_FORMS[name].numbers === 256 ? 768 : 544]
        const bytes = randomBlocks(name, rows * columns)
        const x = Float32Array.from({ length: 41 * columns }, () => stream.normal())
        const all = await ran(name, [rows, columns], bytes, x)
        for (const [from, to] of [
          [3, 4],
          [3, 5],
          [3, 8],
          [0, 17],
        ] as const) {
          const part = x.slice(from * columns, to * columns)
          const some = await ran(name, [rows, columns], bytes, part)
          expect(some.y).toEqual(all.y.slice(from * rows, to * rows))
        }
      },
    )

    test.each(NAMES)('%s: scales that are zero, tiny, huge or no numbers', async (name) => {
      const { halves, numbers, bytes } = oddBlocks(name)
      const wide = wideOf(name, bytes, halves.length * numbers)
      const x = new Float32Array(numbers).fill(1)
      const rows = halves.map((_, i) => i)
      const { table } = await ran(name, [halves.length, numbers], bytes, x, rows)
      expect(table).toEqual(wide)
    })
  })

  test('the gradient through a frozen matrix is that of its numbers', async () => {
    const [rows, columns] = [32, 64]
    const bytes = randomBlocks('Q8_0', rows * columns)
    const wide = wideOf('Q8_0', bytes, rows * columns)
    const built = (isStored: boolean) => {
      const g = createGraph()
      const x = g.parameter('x', [2, columns])
      const W = isStored
        ? g.stored('W', [rows, columns], 'Q8_0')
        : g.input('W', 'float32', [rows, columns])
      const y = g.matMulT(x, W)
      const loss = g.reduceSum(g.mul(y, y), [0, 1], { keepDims: false })
      return { g, dx: gradients(g, loss, [x])[0]! }
    }
    const x = Float32Array.from({ length: 2 * columns }, () => stream.normal())
    const results: Float32Array[] = []
    for (const isStored of [true, false]) {
      const { g, dx } = built(isStored)
      const runner = await createRunner(g, { dx }, { device, purpose: 'train' })
      const W = isStored
        ? { data: bytes, dims: [rows, blockRowBytes('Q8_0', columns)] }
        : { data: wide, dims: [rows, columns] }
      const ran_ = await runner.run({ x: { data: x, dims: [2, columns] }, W })
      results.push(ran_.dx!.data as Float32Array)
      await runner.release()
    }
    const size = Math.max(...results[1]!.map(Math.abs))
    results[0]!.forEach((value, i) =>
      expect(Math.abs(value - results[1]![i]!)).toBeLessThan(1e-5 * size),
    )
  })

  describe('GGUF models', () => {
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'touchstone-blocks-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    /** Every type in turn; rows of q and k are moved, the others mapped. */
    const mixed = async () => {
      const path = join(folder, 'mixed.gguf')
      await writeFile(path, ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
      return path
    }

    async function logitsOf(path: string, precision: Precision) {
      const { open, model, weights } = await loadModel(path, precision)
      const session = await openCached({ model, frozen: weights }, device, 32)
      const cache = emptyCache(session.cache, 1, 8)
      const feeds = prefill([{ ids: [5, 9, 2, 14, 3, 3, 8] }], 8, 0)
      const results = await session.run('sampled', { ...cache.past, ...feeds }, cache.present)
      const splits = session.splitsPrompts
      await session.release()
      await open.close()
      return { logits: results.logits!.data as Float32Array, splits }
    }

    test('give the logits of their weights in float32', async () => {
      const path = await mixed()
      const [whole, inBlocks] = [await logitsOf(path, 'fp32'), await logitsOf(path, 'blocks')]
      const size = Math.max(...whole.logits.map(Math.abs))
      expect(size).toBeGreaterThan(0)
      inBlocks.logits.forEach((value, i) =>
        expect(Math.abs(value - whole.logits[i]!)).toBeLessThan(1e-4 * size),
      )
    })

    test('keep what they have in blocks, and read the rest', async () => {
      const { open, weights } = await loadModel(await mixed(), 'blocks')
      expect([...smallOf(weights)!].map(([name, { storage }]) => [name, storage])).toEqual([
        ['model.embed_tokens.weight', 'Q8_0'],
        ['model.layers.0.self_attn.q_proj.weight', 'Q4_K'],
        ['model.layers.0.self_attn.k_proj.weight', 'Q4_1'],
        ['model.layers.0.self_attn.v_proj.weight', 'Q6_K'],
        ['model.layers.0.self_attn.o_proj.weight', 'Q4_0'],
        ['model.layers.0.mlp.down_proj.weight', 'Q4_0'],
      ])
      await open.close()
    })

    /** Every matrix in Q4_0 or Q8_0. */
    const whole = async () => {
      const path = join(folder, 'whole.gguf')
      const size = { hidden: 64, heads: 4, kvHeads: 2, intermediate: 96, layers: 2, vocab: 96 }
      await writeRandomGguf(path, size)
      return path
    }

    test.each(['blocks', 'blocks-int8'] as const)(
      'a reply and its scores have the same bits alone, undoubled, and among others: %s',
      async (precision) => {
        const { open, model, weights } = await loadModel(await whole(), precision)
        const session = await openCached({ model, frozen: weights }, device, 64)
        expect(session.standsAlone).toBe(true)
        let widest = 0
        const counted: CachedSession = {
          ...session,
          run(graph, feeds, into) {
            widest = Math.max(widest, feeds.tokens!.dims[0]!)
            return session.run(graph, feeds, into)
          },
        }
        const prompts = [5, 9, 12].map((length, key) => ({
          key: String(key),
          ids: Array.from({ length }, (_, i) => (7 * i + key) % 30),
        }))
        const shared = { session: counted, varying: {}, padId: 0, batchSize: 4 }
        const { signal } = new AbortController()
        const repliesTo = async (asked: typeof prompts) => {
          const decoding = { maxNewTokens: 6, temperature: 0, seed: 0 }
          const all: GeneratedTokens[] = []
          for await (const some of generate(asked, {
            ...shared,
            ...{ signal, decoding, endIds: new Set<number>() },
          }))
            all.push(...some)
          return all.toSorted((a, b) => a.index - b.index)
        }
        const scoresOf = (asked: typeof prompts) =>
          scoreTexts(
            asked.map((each) => ({ ...each, from: 1 })),
            { ...shared, signal },
          )
        const [replies, scores] = [await repliesTo(prompts), await scoresOf(prompts)]
        expect(widest).toBe(3)
        widest = 0
        for (const [i, prompt] of prompts.entries()) {
          expect(await repliesTo([prompt])).toEqual([{ ...replies[i]!, index: 0 }])
          expect(await scoresOf([prompt])).toEqual([scores[i]])
        }
        expect(widest).toBe(1)
        await session.release()
        await open.close()
      },
    )

    test('with a matrix that is not in blocks, a single row is doubled as before', async () => {
      const { open, model, weights } = await loadModel(await mixed(), 'blocks')
      const session = await openCached({ model, frozen: weights }, device, 32)
      expect(session.standsAlone).toBe(false)
      await session.release()
      await open.close()
    })

    test('without matrices in blocks are refused by name', async () => {
      const plain = loadModel(modelPath('pebble'), 'blocks')
      await expect(plain).rejects.toMatchObject({ code: 'blocks.none' })
    })

    test.each(FILES)('%s: the weights in blocks are the file’s, in their order', async (name) => {
      const from = join(FIXTURES, 'gguf', `${name}.gguf`)
      const path = join(folder, `${name}.gguf`)
      const source = await loadModel(from)
      await writeGgufModel(path, {
        ...{ path: from, sources: await sourcesOf(from), model: source.model, form: 'Q8_0', name },
        read: (weight) => source.weights.get(weight)!,
        exception: null,
      })
      await source.open.close()
      // Rows of 16 numbers are written as half floats.
      if (name === 'olmo3')
        return expect(loadModel(path, 'blocks')).rejects.toMatchObject({ code: 'blocks.none' })
      const [whole, inBlocks] = [await loadModel(path), await loadModel(path, 'blocks')]
      expect(smallOf(inBlocks.weights)!.size).toBeGreaterThan(0)
      for (const [weight, data] of whole.weights) expect(inBlocks.weights.get(weight)).toEqual(data)
      await whole.open.close()
      await inBlocks.open.close()
    })
  })
})
