/** @file LQ-LoRA, LoRAM and LoRAPrune against plain torch on a tiny Llama: split, cut and masks, the first gradient, weights after five steps. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import type { BoundMethod } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { newOptimizerState, train, TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { FIXTURES, openGolden, type GoldenModel } from '../../doubles/models/golden-llama.ts'
import { floats, integers, readOracle, relativeError } from '../../doubles/models/safetensors.ts'
import { productOf } from '../../doubles/training/one-pair.ts'

/** test/golden/make-methods-c.py */
const RANK = 3
const SCALE = 2
const PRUNING = { prune: 0.5, pruneEvery: 2, pruneWarmUp: 0, pruneCoolDown: 0, pruneEdges: true }
/** By name in the fixture. */
const SETTINGS = {
  'lq-lora': { bits: 3, alternations: 20 },
  loram: { prune: 0.5 },
  'lora-prune': PRUNING,
  'lora-prune-squared': { ...PRUNING, pruneScore: 'squared' },
}
const TOLERANCE = 1e-4
const expected = readOracle(join(FIXTURES, 'methods-c', 'expected.safetensors'))
const oracle = (key: string): Float32Array => Float32Array.from(floats(expected, key))
/** Tensors of the fixture under a prefix, by the rest of their names. */
const under = (prefix: string) =>
  new Map(
    [...expected.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => [key.slice(prefix.length), oracle(key)]),
  )

/** The oracle's three rows without their padding. */
function examplesOf({ expected: golden }: GoldenModel): Example[] {
  const [, seq] = golden.get('tokens')!.shape as [number, number]
  const [tokens, labels] = [integers(golden, 'tokens'), integers(golden, 'labels')]
  return integers(golden, 'attention_lengths').map((length, row) => ({
    ids: tokens.slice(row * seq, row * seq + length),
    labelled: labels.slice(row * seq, row * seq + length).map((label) => label !== -100),
  }))
}

async function open(name: keyof typeof SETTINGS, change: (method: BoundMethod) => BoundMethod) {
  const golden = await openGolden('llama-untied-gqa')
  const config = { rank: RANK, alpha: RANK * SCALE, ...SETTINGS[name] }
  const method = change(bindMethod({ name: name.replace('-squared', ''), config }))
  const { model, weights } = golden
  const device = { name: 'cpu', threads: 1 } as const
  const given = { model, weights, method, device, seed: 5, maxPositions: 16 }
  return { session: await openTraining(given), examples: examplesOf(golden) }
}

const PLAN: TrainingConfig = {
  ...TrainingConfig.parse({}),
  ...{ steps: 5, batchSize: 3, learningRate: 1e-3, schedule: 'constant' },
  ...{ warmupSteps: 0, weightDecay: 0.01 },
}

test.each(Object.keys(SETTINGS) as (keyof typeof SETTINGS)[])(
  '%s: losses, first gradient and weights after five AdamW steps are torch’s',
  async (name) => {
    // Singular vectors have no sign of their own, so the run begins at the oracle's.
    const { session, examples } = await open(name, (method) => ({
      ...method,
      prepare: () =>
        Promise.resolve({
          parameters: under(`${name}.init.`),
          ...(name === 'lq-lora' && { weights: under('lq-lora.frozen.') }),
        }),
    }))
    const { table } = session
    const gradient: Float32Array[] = []
    const watched = {
      ...session,
      async gradients(...asked: Parameters<typeof session.gradients>) {
        const result = await session.gradients(...asked)
        if (gradient.length === 0) gradient.push(result.flat.slice())
        return result
      },
    }
    const state = newOptimizerState(session.parameters, session.memorySize)
    const plan = { examples, padId: 0, config: PLAN, seed: 5, session: watched }
    const rest = { signal: new AbortController().signal, lastGood: () => 'none' }
    const losses: number[] = []
    for await (const { loss } of train(state, { ...plan, ...rest })) losses.push(loss)
    await session.release()
    expect(relativeError(losses, floats(expected, `${name}.losses`))).toBeLessThan(TOLERANCE)
    const found = {
      grad: namedViews(table, gradient[0]!),
      after5: namedViews(table, state.parameters),
    }
    for (const [what, views] of Object.entries(found))
      for (const [key, { data }] of views)
        // A mask has no gradient.
        if (what !== 'grad' || !key.endsWith('prune_mask'))
          expect(relativeError(data, oracle(`${name}.${what}.${key}`)), key).toBeLessThan(TOLERANCE)
  },
)

describe('lq-lora', () => {
  test('splits every layer as torch does', async () => {
    const { session } = await open('lq-lora', (method) => method)
    const { parameters, weights } = session.prepared
    await session.release()
    expect(weights!.size).toBe(14)
    for (const [name, Q] of weights!) {
      const layer = name.slice(0, -'.weight'.length)
      expect(relativeError(Q, oracle(`lq-lora.frozen.${name}`)), name).toBeLessThan(TOLERANCE)
      const low = (read: (key: string) => Float32Array) => {
        const [A, B] = [read(`${layer}.lora_A.weight`), read(`${layer}.lora_B.weight`)]
        return productOf({ rows: B.length / RANK, columns: A.length / RANK, rank: RANK }, B, A)
      }
      const theirs = low((key) => oracle(`lq-lora.init.${key}`))
      expect(
        relativeError(
          low((key) => parameters!.get(key)!),
          theirs,
        ),
        name,
      ).toBeLessThan(1e-3)
    }
  })
})
