/** @file The laws of architectures: cached logits are the uncached ones, and a checkpoint that does not fit is refused by weight. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../evals/errors/touchstone-error.ts'
import { FLOAT64 } from '../../evals/graph/op.ts'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { emptyCache, openCached } from '../../evals/inference/cached-graph.ts'
import { countingPositions, int32 } from '../../evals/inference/feeds.ts'
import type { AttentionPlan } from '../../evals/models/architecture.ts'
import { ARCHITECTURES, recognise, type Model } from '../../evals/models/registry.ts'
import { createScope } from '../../evals/models/scope.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { GOLDEN_ENCODERS, GOLDEN_FAMILIES, openGolden } from '../doubles/models/golden-llama.ts'
import {
  indexOf,
  randomIds,
  tinyConfig,
  tinyModel,
  tinyShapes,
  type TinyModelOptions,
} from '../doubles/models/tiny-model.ts'

const GOLDEN_FOLDER = join(import.meta.dirname, '..', 'golden')
const device = { name: 'cpu', threads: 1 } as const

interface Example {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly vocab: number
}

async function goldenExample(name: string): Promise<Example> {
  const { model, weights, expected } = await openGolden(name)
  return { model, weights, vocab: expected.get('logits')!.shape[2]! }
}

const tinyExample = (options: Partial<TinyModelOptions>): Example => {
  const tiny = tinyModel(options)
  return { ...tiny, vocab: tiny.options.vocab }
}

const GOLDEN = new Map<string, Example>()
for (const name of GOLDEN_FAMILIES) GOLDEN.set(name, await goldenExample(name))

/** What is no model of a library is held to PyTorch in a test of its own. */
const OWN_GOLDENS = globSync('**/*.test.ts', { cwd: GOLDEN_FOLDER })
  .map((path) => readFileSync(join(GOLDEN_FOLDER, path), 'utf8'))
  .join('')
const hasOwnGolden = (name: string) => OWN_GOLDENS.includes(`/families/${name}.ts'`)

/** A small model of each registered architecture; a new one fails here until it has an example. */
test('every architecture has an example', () => {
  const shown = [...GOLDEN.values()].map(({ model }) => model.architecture.name)
  const written = ARCHITECTURES.filter(({ kind }) => kind === 'decoder').map(({ name }) => name)
  expect(new Set(shown)).toEqual(new Set(written))
  const read = ARCHITECTURES.filter(({ kind }) => kind === 'encoder')
  for (const { name } of read)
    expect(
      GOLDEN_ENCODERS.classes.some((each) => each.startsWith(`${name}-`)) || hasOwnGolden(name),
      name,
    ).toBe(true)
})

/** Logits of every position of right-padded rows, `[batch, seq, vocab]`, from the graph without a cache. */
async function uncached({ model, weights }: Example, rows: readonly number[][], seq: number) {
  const g = createGraph()
  const scope = createScope(g, model.weights, { maxPositions: seq })
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const { hiddenStates } = model.architecture.forward(
    scope,
    { tokens, positions, attention: { kind: 'causal' }, batch: 'batch', seq: 'seq' },
    model.config,
  )
  const logits = model.architecture.logits(scope, hiddenStates, model.config)
  const runner = await createRunner(g, { logits }, { device, purpose: 'generate', frozen: weights })
  const ids = rows.flatMap((row) => [...row, ...new Array<number>(seq - row.length).fill(0)])
  const results = await runner.run({
    tokens: int32(ids, [rows.length, seq]),
    positions: countingPositions(rows.length, seq),
  })
  await runner.release()
  return results.logits!.data as Float32Array
}

/** Reads `rows` up to `lengths`, then the rest token by token; calls back with each row's logits and position. */
async function throughTheCache(
  { model, weights }: Example,
  rows: readonly number[][],
  lengths: readonly number[],
  steps: number,
  see: (row: number, position: number, logits: Float32Array) => void,
) {
  const session = await openCached({ model, frozen: weights }, device, 64)
  const width = Math.max(...lengths)
  const cache = emptyCache(session.cache, rows.length, width + steps)
  const run = async (seq: number, tokens: number[], first: readonly number[], at: number[]) => {
    const last = first.map((position, b) => position + at[b]! - b * seq)
    const { logits } = await session.run(
      'sampled',
      {
        ...cache.past,
        tokens: int32(tokens, [rows.length, seq]),
        positions: int32(
          first.flatMap((position) => Array.from({ length: seq }, (_, t) => position + t)),
          [rows.length, seq],
        ),
        last: int32(last),
        total: int32([seq === 1 ? Math.max(...last) + 1 : seq]),
        rows: int32(at),
      },
      cache.present,
    )
    const vocab = logits!.dims[1]!
    const data = logits!.data as Float32Array
    last.forEach((position, b) => see(b, position, data.subarray(b * vocab, (b + 1) * vocab)))
  }
  const padded = rows.flatMap((row, b) =>
    Array.from({ length: width }, (_, t) => (t < lengths[b]! ? row[t]! : 0)),
  )
  await run(
    width,
    padded,
    rows.map(() => 0),
    lengths.map((length, b) => b * width + length - 1),
  )
  for (let step = 0; step < steps; step++) {
    const now = lengths.map((length) => length + step)
    await run(
      1,
      rows.map((row, b) => row[now[b]!]!),
      now,
      rows.map((_, b) => b),
    )
  }
  await session.release()
}

interface Texts {
  readonly kind: 'causal' | 'bidirectional' | 'packed'
  /** Token ids, row by row. */
  readonly ids: readonly (readonly number[])[]
  readonly positions: readonly (readonly number[])[]
  readonly segments?: readonly (readonly number[])[]
}

/** Hidden states `[batch·seq][hidden]` in float64. */
async function hiddenStates(
  { model, weights }: Example,
  { kind, ids, positions, segments = [] }: Texts,
): Promise<number[][]> {
  const g = createGraph(FLOAT64)
  const scope = createScope(g, model.weights, { maxPositions: 32 })
  const whole = (name: string) => g.input(name, 'int32', ['batch', 'seq'])
  const attention: AttentionPlan =
    kind === 'packed' ? { kind, segments: whole('segments') } : { kind }
  const out = model.architecture.forward(
    scope,
    {
      tokens: whole('tokens'),
      positions: whole('positions'),
      attention,
      batch: 'batch',
      seq: 'seq',
    },
    model.config,
  )
  const runner = await createRunner(g, { hidden: out.hiddenStates }, { device, purpose: 'train' })
  const fed = (rows: readonly (readonly number[])[]) =>
    int32(rows.flat(), [rows.length, rows[0]?.length ?? 0])
  const results = await runner.run({
    ...Object.fromEntries(
      [...weights].map(([name, data]) => [
        name,
        { data: Float64Array.from(data), dims: model.weights.get(name)!.shape },
      ]),
    ),
    tokens: fed(ids),
    positions: fed(positions),
    segments: fed(segments),
  })
  await runner.release()
  const hidden = results.hidden!.dims[1]!
  const data = Array.from(results.hidden!.data, Number)
  return Array.from({ length: data.length / hidden }, (_, i) =>
    data.slice(i * hidden, (i + 1) * hidden),
  )
}

const counting = (length: number) => Array.from({ length }, (_, i) => i)
const apart = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

const VARIANTS: [string, Partial<TinyModelOptions>][] = [
  ['heads of 8, tied', { hidden: 32, headDim: 8, heads: 4, kvHeads: 4, tied: true }],
  ['heads of 8, grouped queries', { hidden: 32, headDim: 8, heads: 6, kvHeads: 2 }],
  ['heads of 16, grouped queries, tied', { hidden: 64, headDim: 16, kvHeads: 2, tied: true }],
  ['heads of 16, one key head', { hidden: 32, headDim: 16, heads: 3, kvHeads: 1 }],
  ['heads of 32', { hidden: 48, headDim: 32, heads: 2, kvHeads: 2 }],
]

const cacheExamples: [string, () => Example][] = [
  ...VARIANTS.map(([name, options]): [string, () => Example] => [name, () => tinyExample(options)]),
  ...[...GOLDEN].map(([name, example]): [string, () => Example] => [name, () => example]),
]

test.each(cacheExamples)('%s: cached logits are the uncached ones', async (_name, make) => {
  const example = make()
  const { vocab } = example
  const lengths = [5, 2, 1]
  const steps = 4
  const rows = lengths.map((length, b) => randomIds(`row ${b}`, length + steps, vocab))
  const seq = Math.max(...lengths) + steps
  const expected = await uncached(example, rows, seq)
  // Largest difference by largest value, as in test/golden/README.md.
  const largest = Math.max(...expected.map(Math.abs))
  let compared = 0
  await throughTheCache(example, rows, lengths, steps, (row, position, logits) => {
    const start = (row * seq + position) * vocab
    logits.forEach((logit, i) => {
      expect(Math.abs(logit - expected[start + i]!)).toBeLessThan(1e-5 * largest)
      compared++
    })
  })
  expect(compared).toBe(rows.length * (steps + 1) * vocab)
})

test('heads that the cache’s kernel cannot read are refused by name', async () => {
  const { model, weights } = tinyModel({ headDim: 12, heads: 1 })
  await expect(openCached({ model, frozen: weights }, device, 64)).rejects.toMatchObject({
    code: 'checkpoint.unsupported',
    message: expect.stringContaining('12') as string,
  })
})

describe.each([...GOLDEN])('%s, in float64', (_, example) => {
  const ids = (label: string, count: number) => randomIds(label, count, example.vocab)
  const [a, b] = [ids('a', 5), ids('b', 3)]

  test('two texts packed into one row are the same two padded in two rows', async () => {
    const packed = await hiddenStates(example, {
      kind: 'packed',
      ids: [[...a, ...b, 0, 0]],
      positions: [[...counting(5), ...counting(3), 0, 1]],
      segments: [[1, 1, 1, 1, 1, 2, 2, 2, 0, 0]],
    })
    const padded = await hiddenStates(example, {
      kind: 'causal',
      ids: [a, [...b, 0, 0]],
      positions: [counting(5), counting(5)],
    })
    counting(8).forEach((i) =>
      expect(apart(packed[i]!, padded[i]!), `token ${i}`).toBeLessThan(1e-12),
    )
    const together = await hiddenStates(example, {
      kind: 'causal',
      ids: [[...a, ...b]],
      positions: [counting(8)],
    })
    expect(apart(together[7]!, packed[7]!)).toBeGreaterThan(1e-3)
  })

  test('causal: a token changes nothing before it, and everything from it on', async () => {
    const run = (tokens: number[]) =>
      hiddenStates(example, { kind: 'causal', ids: [tokens], positions: [counting(5)] })
    const [before, after] = [await run(a), await run(a.with(3, (a[3]! + 1) % 32))]
    for (const i of [0, 1, 2]) expect(after[i]).toEqual(before[i])
    for (const i of [3, 4]) expect(apart(after[i]!, before[i]!)).toBeGreaterThan(1e-3)
  })

  test('bidirectional: every token attends to every other, and only positions tell their order', async () => {
    const run = (tokens: number[], positions: number[]) =>
      hiddenStates(example, { kind: 'bidirectional', ids: [tokens], positions: [positions] })
    const plain = await run(a, counting(5))
    const order = [4, 2, 0, 3, 1]
    const moved = await run(
      order.map((i) => a[i]!),
      order,
    )
    order.forEach((from, to) => expect(apart(moved[to]!, plain[from]!)).toBeLessThan(1e-12))
    const changed = await run(a.with(4, (a[4]! + 1) % 32), counting(5))
    for (const i of counting(5)) expect(apart(changed[i]!, plain[i]!)).toBeGreaterThan(1e-3)
  })
})

describe('a checkpoint that does not fit', () => {
  const tiny = tinyModel()
  const refusal = (
    change: (shapes: Map<string, readonly number[]>) => void,
    config: Record<string, unknown> = {},
  ): TouchstoneError => {
    const shapes = tinyShapes(tiny.options)
    change(shapes)
    try {
      recognise({
        path: 'tiny',
        config: { ...tinyConfig(tiny.options), ...config },
        weights: indexOf(shapes),
      })
    } catch (error) {
      expect(error).toBeInstanceOf(TouchstoneError)
      return error as TouchstoneError
    }
    throw new Error('it was taken')
  }

  test.each([...tinyShapes(tiny.options).keys()])('without %s names it', (name) => {
    const { code, message } = refusal((shapes) => shapes.delete(name))
    expect(code).toBe('checkpoint.weight-missing')
    expect(message).toContain(`"${name}"`)
  })

  // q_proj and k_proj may have any number of rows (pruned models), so they are made wrong in their columns.
  test.each([...tinyShapes(tiny.options).keys()])('with %s of another shape names it', (name) => {
    const { code, message } = refusal((shapes) => {
      const shape = shapes.get(name)!
      shapes.set(name, shape.with(-1, shape.at(-1)! + 1))
    })
    expect(code).toBe('checkpoint.weight-shape')
    expect(message).toContain(`"${name}"`)
  })

  test.each(['q_proj', 'k_proj'])('whose %s is not whole heads names it', (module) => {
    const { code, message } = refusal((shapes) => {
      for (const layer of [0, 1]) {
        const at = (name: string) => `model.layers.${layer}.self_attn.${name}.weight`
        const grown = shapes.get(at(module))![0]! + 1
        shapes.set(at(module), [grown, tiny.options.hidden])
        if (module === 'k_proj') shapes.set(at('v_proj'), [grown, tiny.options.hidden])
        else shapes.set(at('o_proj'), [tiny.options.hidden, grown])
      }
    })
    expect(code).toBe('checkpoint.weight-shape')
    expect(message).toContain(module)
  })

  test('whose query heads are not a multiple of its key heads is refused', () => {
    const { code } = refusal((shapes) => {
      for (const layer of [0, 1])
        for (const name of ['k_proj', 'v_proj'])
          shapes.set(`model.layers.${layer}.self_attn.${name}.weight`, [24, tiny.options.hidden])
    })
    expect(code).toBe('checkpoint.weight-shape')
  })

  test('whose heads have an odd size is refused', () => {
    const { code } = refusal(() => undefined, { head_dim: 1 })
    expect(code).toMatch(/^checkpoint\./)
  })

  test('whose hidden size its heads do not divide is refused', () => {
    const { code } = refusal(() => undefined, { head_dim: null, num_attention_heads: 3 })
    expect(code).toMatch(/^checkpoint\./)
  })

  test('of an unknown architecture lists what is supported', () => {
    const { code, message } = refusal(() => undefined, { model_type: 'gpt-nobody' })
    expect(code).toBe('checkpoint.unsupported')
    expect(message).toContain('gpt-nobody')
  })

  test.each([
    [{ hidden_size: 0 }, 'malformed'],
    [{ vocab_size: 'many' }, 'malformed'],
    [{ hidden_act: 'gelu' }, 'unsupported'],
  ])('with a configuration such as %j is refused as %s', (config, code) => {
    expect(refusal(() => undefined, config).code).toBe(`checkpoint.${code}`)
  })
})
