/** @file Do we get PyTorch's numbers? Tiny random Llamas against transformers and PEFT (test/golden/README.md). */
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { lora } from '../../evals/finetune/methods/lora.ts'
import { bind, type BoundMethod } from '../../evals/finetune/method.ts'
import { namedViews, optimizerGroups } from '../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { adamW, clipFactor, globalNorm } from '../../evals/graph/optimizer.ts'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { generate } from '../../evals/inference/generate.ts'
import type { Model } from '../../evals/models/registry.ts'
import { batchOf, goldenLogits, openGolden, worstLogit } from '../doubles/models/golden-llama.ts'
import { floats, integers, relativeError } from '../doubles/models/safetensors.ts'

const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4
const CASES = [
  'llama-tied',
  'llama-untied-gqa',
  'llama-bf16',
  'llama-rope-llama3',
  'llama-rope-linear',
  'llama-headdim',
]
const TRAINED = ['llama-tied', 'llama-untied-gqa']

describe.each(CASES)('%s', (name) => {
  test('logits are transformers’ within 1e-4', async () => {
    const opened = await openGolden(name)
    expect(
      worstLogit(await goldenLogits(opened, batchOf(opened.expected)), opened.expected),
    ).toBeLessThan(TOLERANCE)
  })

  test('loss and every gradient of full fine-tuning are PyTorch’s', async () => {
    const { model, weights, expected } = await openGolden(name)
    const session = await openTraining(
      options(model, weights, bind(full, { learningRateScale: 1 })),
    )
    const { loss, flat } = await session.gradients(batchOf(expected))
    expect(Math.abs(loss - floats(expected, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    for (const [weight, { data }] of namedViews(session.table, flat)) {
      expect(relativeError(data, floats(expected, `full.grad.${weight}`)), weight).toBeLessThan(
        TOLERANCE,
      )
    }
  })
})

const options = (
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  method: BoundMethod,
) => ({
  model,
  weights,
  method,
  seed: 0,
  maxPositions: 16,
  device,
})

const PEFT = 'base_model.model.'

describe.each(TRAINED)('%s, five AdamW steps', (name) => {
  test.each([
    ['full', bind(full, { learningRateScale: 1 })],
    ['lora', bind(lora, { rank: 4, alpha: 8 })],
  ] as const)('%s ends in PyTorch’s weights', async (mode, method) => {
    const { model, weights, expected } = await openGolden(name)
    const session = await openTraining(options(model, weights, method))
    const key = (parameter: string) => (mode === 'lora' ? `${PEFT}${parameter}` : parameter)
    const parameters = session.parameters
    if (mode === 'lora') {
      for (const [parameter, { data }] of namedViews(session.table, parameters))
        data.set(floats(expected, `lora.init.${key(parameter)}`))
    }
    const state = {
      parameters,
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
      step: 0,
    }
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
    const batch = batchOf(expected)
    const losses: number[] = []
    for (let step = 0; step < 5; step++) {
      const { loss, flat } = await session.gradients(batch)
      losses.push(loss)
      if (step === 0) {
        for (const [parameter, { data }] of namedViews(session.table, flat)) {
          expect(
            relativeError(data, floats(expected, `${mode}.grad.${key(parameter)}`)),
            parameter,
          ).toBeLessThan(TOLERANCE)
        }
      }
      await adamW(
        state,
        flat,
        adam,
        optimizerGroups(session.table, true),
        1e-3,
        clipFactor(await globalNorm(flat), 1),
      )
    }
    losses.push((await session.gradients(batch)).loss)
    expect(relativeError(losses, floats(expected, `${mode}.losses`))).toBeLessThan(TOLERANCE)
    for (const [parameter, { data }] of namedViews(session.table, parameters)) {
      expect(
        relativeError(data, floats(expected, `${mode}.after5.${key(parameter)}`)),
        parameter,
      ).toBeLessThan(TOLERANCE)
    }
  })
})

test('greedy answers through the cache are transformers’, in one batch of unequal lengths', async () => {
  const { model, weights, expected } = await openGolden('llama-untied-gqa')
  const session = await openCached({ model, frozen: weights }, device, 64)
  const [count, width] = expected.get('greedy.prompts')!.shape as [number, number]
  const padded = integers(expected, 'greedy.prompts')
  const lengths = integers(expected, 'greedy.prompt_lengths')
  const prompts = Array.from({ length: count }, (_, i) => ({
    key: String(i),
    ids: padded.slice(i * width, i * width + lengths[i]!),
  }))
  const decoding = { maxNewTokens: 12, temperature: 0, seed: 0 }
  const options = {
    session,
    varying: {},
    decoding,
    endIds: new Set<number>(),
    padId: 0,
    batchSize: 8,
    signal: new AbortController().signal,
  }
  const answers: number[][] = []
  for await (const batch of generate(prompts, options))
    for (const { index, tokenIds } of batch) answers[index] = tokenIds
  expect(answers.flat()).toEqual(integers(expected, 'greedy.tokens'))
  await session.release()
})
