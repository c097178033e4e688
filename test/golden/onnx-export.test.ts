/**
 * @file What is exported as ONNX runs elsewhere: every family's graph in plain onnxruntime-node, against transformers' logits
 * (test/golden/README.md), in one pass and through the cache, with padding on either side; and its greedy tokens.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { afterAll, describe, expect, test } from 'vitest'
import { cacheOf } from '../../evals/models/registry.ts'
import { writeOnnxModel } from '../../evals/models/formats/onnx/write-onnx-model.ts'
import { openGraphFile, type FileRunner, type FileTensor } from '../../evals/runtime/graph-file.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { GOLDEN_FAMILIES, openGolden, type GoldenModel } from '../doubles/models/golden-llama.ts'
import { floats, integers } from '../doubles/models/safetensors.ts'

/** Of the largest logit, as in the tests of the engine itself. */
const TOLERANCE = 1e-4
const folder = freshFolder()
const device = { name: 'cpu', threads: 1 } as const
const families = [...GOLDEN_FAMILIES, 'llama-headdim']

const opened = new Map<string, { golden: GoldenModel; runner: FileRunner }>()
afterAll(async () => {
  for (const { runner } of opened.values()) await runner.release()
})

async function exported(name: string) {
  if (!opened.has(name)) {
    const golden = await openGolden(name)
    const { model, weights } = golden
    const path = join(folder, name)
    const read = (weight: string) => weights.get(weight)!
    await writeOnnxModel(path, { model, read, config: {}, tokenizerFiles: new Map() })
    const runner = await openGraphFile(join(path, 'model.onnx'), device)
    opened.set(name, { golden, runner })
  }
  return opened.get(name)!
}

type Cache = Record<string, FileTensor>
interface Row {
  readonly ids: readonly number[]
  readonly mask: readonly number[]
  readonly positions: readonly number[]
}

const whole = (rows: readonly (readonly number[])[]): FileTensor => ({
  dtype: 'int64',
  data: BigInt64Array.from(rows.flat(), BigInt),
  dims: [rows.length, rows[0]!.length],
})

const emptyCache = ({ model }: GoldenModel, batch: number): Cache =>
  Object.fromEntries(
    cacheOf(model).flatMap(({ kvHeads, headDim }, layer) =>
      ['key', 'value'].map((part) => {
        const dims = [batch, kvHeads, 0, headDim]
        const empty = { dtype: 'float32' as const, data: new Float32Array(), dims }
        return [`past_key_values.${layer}.${part}`, empty]
      }),
    ),
  )

async function step(runner: FileRunner, cache: Cache, rows: readonly Row[]) {
  const feeds = {
    input_ids: whole(rows.map(({ ids }) => ids)),
    attention_mask: whole(rows.map(({ mask }) => mask)),
    position_ids: whole(rows.map(({ positions }) => positions)),
    ...cache,
  }
  const present = Object.keys(cache).map((name) => name.replace('past_key_values', 'present'))
  const { logits, ...caches } = await runner.run(feeds, ['logits', ...present])
  const next = Object.entries(caches).map(([name, { data, dims }]) => [
    name.replace('present', 'past_key_values'),
    { dtype: 'float32' as const, data, dims },
  ])
  return { logits: logits!, cache: Object.fromEntries(next) as Cache }
}

const counting = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

/** Largest |Δ| over the real tokens of row `b`, of the largest expected logit; `found` begins at token `from`. */
function worst(
  { expected }: GoldenModel,
  b: number,
  found: ArrayLike<number>,
  from: number,
  count: number,
): number {
  const { shape } = expected.get('logits')!
  const [, width, vocab] = shape as [number, number, number]
  const logits = floats(expected, 'logits')
  const own = logits.subarray((b * width + from) * vocab, (b * width + from + count) * vocab)
  const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let off = 0
  for (let i = 0; i < own.length; i++) off = Math.max(off, Math.abs(own[i]! - found[i]!))
  return off / largest
}

function rowsOf({ expected }: GoldenModel) {
  const [batch, width] = expected.get('tokens')!.shape as [number, number]
  const tokens = integers(expected, 'tokens')
  const lengths = integers(expected, 'attention_lengths')
  return counting(batch).map((b) => tokens.slice(b * width, b * width + lengths[b]!))
}

describe.each(families)('%s', (name) => {
  test('is made of standard operators alone, its weights outside', async () => {
    await exported(name)
    const bytes = await readFile(join(folder, name, 'model.onnx'))
    const { graph, opsetImport } = onnxProto.onnx.ModelProto.decode(bytes)
    expect(opsetImport.map(({ domain }) => domain)).toEqual([''])
    expect(new Set(graph!.node!.map(({ domain }) => domain))).toEqual(new Set(['']))
    const inside = graph!.initializer!.map(({ rawData }) => rawData?.length ?? 0)
    expect(Math.max(...inside)).toBeLessThanOrEqual(4096)
  })

  test.each(['right', 'left'])('one pass, padded on the %s', async (side) => {
    const { golden, runner } = await exported(name)
    const texts = rowsOf(golden)
    const width = Math.max(...texts.map(({ length }) => length))
    const padded = (own: readonly number[], count: number) => {
      const padding = new Array<number>(width - count).fill(0)
      return side === 'right' ? [...own, ...padding] : [...padding, ...own]
    }
    const rows = texts.map((ids) => ({
      ids: padded(ids, ids.length),
      mask: padded(new Array<number>(ids.length).fill(1), ids.length),
      positions: padded(counting(ids.length), ids.length),
    }))
    const { logits } = await step(runner, emptyCache(golden, rows.length), rows)
    const vocab = logits.dims[2]!
    texts.forEach(({ length }, b) => {
      const first = (b * width + (side === 'right' ? 0 : width - length)) * vocab
      const found = (logits.data as Float32Array).subarray(first, first + length * vocab)
      expect(worst(golden, b, found, 0, length)).toBeLessThan(TOLERANCE)
    })
  })

  test('through the cache: a first part, then token by token', async () => {
    const { golden, runner } = await exported(name)
    const { architecture, config } = golden.model
    const stretch = architecture.stretch?.(config, architecture.maxPositions(config)) ?? (() => 0)
    for (const [b, ids] of rowsOf(golden).entries()) {
      const cut = Math.ceil(ids.length / 2)
      let cache = emptyCache(golden, 1)
      for (const [from, to] of [
        [0, cut],
        ...counting(ids.length - cut, cut).map((t) => [t, t + 1]),
      ]) {
        const row = {
          ids: ids.slice(from, to),
          mask: new Array<number>(to!).fill(1),
          positions: counting(to! - from!, from),
        }
        const next = await step(runner, cache, [row])
        cache = next.cache
        const found = next.logits.data as Float32Array
        // A cache that was begun with the frequencies of a shorter text is not the whole text's.
        if (stretch(cut) === stretch(ids.length))
          expect(worst(golden, b, found, from!, to! - from!)).toBeLessThan(TOLERANCE)
      }
    }
  })
})

test('greedy tokens are transformers’', async () => {
  const { golden, runner } = await exported('llama-untied-gqa')
  const { expected } = golden
  const [batch, width] = expected.get('greedy.prompts')!.shape as [number, number]
  const prompts = integers(expected, 'greedy.prompts')
  const lengths = integers(expected, 'greedy.prompt_lengths')
  const count = expected.get('greedy.tokens')!.shape[1]!
  for (const b of counting(batch)) {
    let ids = prompts.slice(b * width, b * width + lengths[b]!)
    let [cache, length] = [emptyCache(golden, 1), 0]
    const written: number[] = []
    while (written.length < count) {
      const positions = counting(ids.length, length)
      length += ids.length
      const next = await step(runner, cache, [
        { ids, mask: new Array<number>(length).fill(1), positions },
      ])
      const vocab = next.logits.dims[2]!
      const last = Array.from((next.logits.data as Float32Array).slice(-vocab))
      ids = [last.indexOf(Math.max(...last))]
      written.push(ids[0]!)
      cache = next.cache
    }
    expect(written).toEqual(integers(expected, 'greedy.tokens').slice(b * count, (b + 1) * count))
  }
})
