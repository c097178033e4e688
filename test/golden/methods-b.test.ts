/** @file The methods that PEFT lacks against plain torch on a tiny Llama: starts, the first gradient, weights after five steps. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Example } from '../../evals/finetune/training/dataset.ts'
import type { BoundMethod, Prepared } from '../../evals/finetune/method.ts'
import { movedStart } from '../../evals/finetune/methods/moved-base.ts'
import { isTrained, namedViews } from '../../evals/finetune/training/parameters.ts'
import { bindMethod } from '../../evals/finetune/registry.ts'
import { newOptimizerState, train, TrainingConfig } from '../../evals/finetune/training/train.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { peftConfigOf, lowRankFields } from '../../evals/finetune/methods/low-rank.ts'
import { z } from 'zod'
import { FIXTURES, openGolden, type GoldenModel } from '../doubles/models/golden-llama.ts'
import { floats, integers, readOracle, relativeError } from '../doubles/models/safetensors.ts'

const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4
/** test/golden/make-methods-b.py */
const RANK = 3
const RUN_SEED = 5
const SETTINGS: Readonly<Record<string, object>> = {
  ggpo: { alpha: 6, sigma: 0.3, beta: 1 },
  'ggpo-kohya': { alpha: 6, form: 'kohya', sigma: 0.3, beta: 1 },
  mgpo: { alpha: 6, rho: 0.5 },
  allora: { etaSquared: 2 },
  'lora-ga': { alpha: 6, gradientBatches: 1, gradientBatchSize: 3 },
  'ba-lora': { alpha: 6, consistency: 0.5, diversity: 0.3, concentration: 0.7, leading: 3 },
  'lora-sb': { startRate: 2e-2, startBatches: 1, startBatchSize: 3 },
}
const expected = readOracle(join(FIXTURES, 'methods-b', 'expected.safetensors'))
const oracle = (name: string, what: string, parameter: string): Float32Array =>
  Float32Array.from(floats(expected, `${name}.${what}.${parameter}`))

/** The oracle's three rows without their padding. */
function examplesOf({ expected: golden }: GoldenModel): Example[] {
  const [, seq] = golden.get('tokens')!.shape as [number, number]
  const [tokens, labels] = [integers(golden, 'tokens'), integers(golden, 'labels')]
  return integers(golden, 'attention_lengths').map((length, row) => ({
    ids: tokens.slice(row * seq, row * seq + length),
    labelled: labels.slice(row * seq, row * seq + length).map((label) => label !== -100),
  }))
}

async function open(name: string, change: (method: BoundMethod) => BoundMethod = (same) => same) {
  const golden = await openGolden('llama-untied-gqa')
  const config = { rank: RANK, ...SETTINGS[name] }
  const method = change(bindMethod({ name: name.replace(/-kohya$/, ''), config }))
  const examples = examplesOf(golden)
  const session = await openTraining({
    model: golden.model,
    weights: golden.weights,
    method,
    device,
    seed: RUN_SEED,
    maxPositions: 16,
    data: { examples, padId: 0 },
  })
  return { golden, method, session, examples }
}

/** Singular vectors have no sign of their own, so the run begins at the oracle's. */
const fromOracle =
  (name: string) =>
  (method: BoundMethod): BoundMethod => {
    if (!method.prepare) return method
    const parameters = (): Map<string, Float32Array> =>
      new Map(
        [...expected.keys()].flatMap((key) => {
          const prefix = `${name}.init.`
          if (!key.startsWith(prefix)) return []
          const parameter = key.slice(prefix.length)
          return [[parameter, oracle(name, 'init', parameter)] as const]
        }),
      )
    const prepare = (
      probe: Parameters<NonNullable<BoundMethod['prepare']>>[0],
    ): Promise<Prepared> =>
      Promise.resolve(
        name === 'lora-sb'
          ? { parameters: parameters() }
          : movedStart(
              probe,
              peftConfigOf(z.object(lowRankFields).parse({ rank: RANK, alpha: 6 })),
              (site) => ({
                A: oracle(name, 'init', `${site.name}.lora_A.weight`),
                B: oracle(name, 'init', `${site.name}.lora_B.weight`),
              }),
            ),
      )
    return { ...method, prepare }
  }

const PLAN: TrainingConfig = {
  ...TrainingConfig.parse({}),
  steps: 5,
  batchSize: 3,
  learningRate: 1e-3,
  schedule: 'constant',
  warmupSteps: 0,
  weightDecay: 0.01,
}

describe.each(Object.keys(SETTINGS))('%s', (name) => {
  test('its losses, its first gradient and its weights after five AdamW steps are torch’s', async () => {
    const { method, session, examples } = await open(name, fromOracle(name))
    const { table } = session
    if (!method.prepare) {
      for (const [parameter, { data }] of namedViews(table, session.parameters))
        data.set(oracle(name, 'init', parameter))
    }
    const first: Float32Array[] = []
    const watched = {
      ...session,
      get parameters() {
        return session.parameters
      },
      async gradients(...asked: Parameters<typeof session.gradients>) {
        const result = await session.gradients(...asked)
        if (first.length === 0) first.push(result.flat.slice())
        return result
      },
    }
    const state = newOptimizerState(session.parameters, session.memorySize)
    const losses: number[] = []
    const plan = { method, examples, padId: 0, config: PLAN, seed: RUN_SEED, session: watched }
    const rest = { signal: new AbortController().signal, lastGood: () => 'none' }
    for await (const { loss } of train(state, { ...plan, ...rest })) losses.push(loss)
    expect(relativeError(losses, floats(expected, `${name}.losses`))).toBeLessThan(TOLERANCE)
    const ends = namedViews(table, state.parameters)
    const gradient = namedViews(table, first[0]!)
    for (const { name: parameter } of table.slices.filter(isTrained)) {
      for (const [what, found] of [
        ['grad', gradient],
        ['after5', ends],
      ] as const) {
        const { data } = found.get(parameter)!
        expect(
          relativeError(data, oracle(name, what, parameter)),
          `${what} ${parameter}`,
        ).toBeLessThan(TOLERANCE)
      }
    }
    for (const { name: parameter } of table.slices.filter((slice) => !isTrained(slice)))
      expect(ends.get(parameter)!.data).toEqual(oracle(name, 'init', parameter))
    await session.release()
  })
})

describe.each(['lora-ga', 'ba-lora', 'lora-sb'])('%s', (name) => {
  test('it begins at torch’s singular vectors, up to their signs', async () => {
    const { session } = await open(name)
    for (const [parameter, { data, shape }] of namedViews(session.table, session.parameters)) {
      const theirs = oracle(name, 'init', parameter)
      const isSquare = parameter.includes('lora_R')
      const columns = shape[1]!
      const vectors = parameter.includes('lora_A') ? shape[0]! : columns
      if (isSquare) {
        expect(relativeError(data, theirs), parameter).toBeLessThan(TOLERANCE)
        continue
      }
      const vectorOf = (flat: Float32Array, j: number) =>
        parameter.includes('lora_A')
          ? flat.slice(j * columns, (j + 1) * columns)
          : flat.filter((_, i) => i % columns === j)
      for (let j = 0; j < vectors; j++) {
        const [a, b] = [vectorOf(data, j), vectorOf(theirs, j)]
        const along = a.reduce((sum, x, i) => sum + x * b[i]!, 0)
        const sign = Math.sign(along)
        expect(
          relativeError(
            a.map((x) => x * sign),
            b,
          ),
          `${parameter} ${j}`,
        ).toBeLessThan(1e-3)
      }
    }
    await session.release()
  })
})
