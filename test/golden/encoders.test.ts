/** @file Do we get PyTorch's numbers? Tiny random encoders against transformers and PEFT (test/golden/README.md). */
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { lora } from '../../evals/finetune/methods/lora.ts'
import { bind, type BoundMethod, type Batch } from '../../evals/finetune/method.ts'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import type { TrainingSession } from '../../evals/finetune/training/session.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { openEncoderSession } from '../../evals/inference/encoder-session.ts'
import { countingPositions, int32 } from '../../evals/inference/feeds.ts'
import { meanPooled } from '../../evals/models/pooling.ts'
import { classesOf } from '../../evals/models/registry.ts'
import { createScope } from '../../evals/models/scope.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import {
  GOLDEN_ENCODERS,
  openGolden,
  segmentsOf,
  type GoldenModel,
} from '../doubles/models/golden-llama.ts'
import { lanes } from '../doubles/training/lanes.ts'
import {
  floats,
  integers,
  relativeError,
  type OracleTensor,
} from '../doubles/models/safetensors.ts'

const TOLERANCE = 1e-4
/** It adds the same to every score of a query, which softmax does not see: its gradient is zero, but for rounding. */
const KEY_BIAS = /\.(?:key|k_lin)\.bias$/u
const ROUNDING = 1e-6
const device = { name: 'cpu', threads: 1 } as const
type Expected = ReadonlyMap<string, OracleTensor>

/** Without padding, row by row. */
function textsOf(expected: Expected): number[][] {
  const [, seq] = expected.get('tokens')!.shape as [number, number]
  const ids = integers(expected, 'tokens')
  return integers(expected, 'attention_lengths').map((length, b) =>
    ids.slice(b * seq, b * seq + length),
  )
}

function batchOf(expected: Expected): Batch {
  const [batch, seq] = expected.get('tokens')!.shape as [number, number]
  return {
    tokens: Int32Array.from(integers(expected, 'tokens')),
    ...lanes(batch, seq),
    segments: segmentsOf(expected),
    rows: Int32Array.from({ length: batch }, (_, b) => b * seq),
    labels: Int32Array.from(integers(expected, 'classes')),
    weights: new Float32Array(batch).fill(1 / batch),
  }
}

const open = (
  { model, weights }: GoldenModel,
  method: BoundMethod,
  oneText = false,
): Promise<TrainingSession> =>
  openTraining({
    oneText,
    model,
    weights,
    method,
    device,
    seed: 0,
    maxPositions: 9,
  })

describe.each(GOLDEN_ENCODERS.classes)('%s', (name) => {
  test('logits over the classes are transformers’ within 1e-4, alone and beside longer texts', async () => {
    const { model, weights, expected } = await openGolden(name)
    const limits = { maxPositions: 64, padId: 0, batchSize: 2 }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const texts = textsOf(expected)
    const reference = floats(expected, 'logits')
    const together = (await session.run('classes', texts)).flatMap((row) => [...row])
    expect(together).toHaveLength(reference.length)
    together.forEach((logit, i) => expect(Math.abs(logit - reference[i]!)).toBeLessThan(TOLERANCE))
    const alone = await session.run('classes', [texts[2]!])
    alone[0]!.forEach((logit, i) =>
      expect(Math.abs(logit - reference[6 + i]!)).toBeLessThan(TOLERANCE),
    )
    await session.release()
    expect(classesOf(model)).toEqual([...['greeting', 'question', 'complaint']])
  })

  test.each([
    ['of each token', false],
    ['of the first token alone in the last block', true],
  ])('loss and every gradient of full fine-tuning are PyTorch’s, states %s', async (_, oneText) => {
    const golden = await openGolden(name)
    const { model, expected } = golden
    const session = await open(golden, bind(full, { learningRateScale: 1 }), oneText)
    const { loss, flat } = await session.gradients(batchOf(expected))
    expect(Math.abs(loss - floats(expected, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    const views = namedViews(session.table, flat)
    expect(views.size).toBe(model.weights.size)
    for (const [weight, { data }] of views) {
      const reference = floats(expected, `full.grad.${weight}`)
      if (KEY_BIAS.test(weight)) {
        for (const gradient of [...data, ...reference])
          expect(Math.abs(gradient), weight).toBeLessThan(ROUNDING)
      } else {
        expect(relativeError(data, reference), weight).toBeLessThan(TOLERANCE)
      }
    }
    await session.release()
  })

  test('loss and gradients of LoRA and of the head beside it are PEFT’s', async () => {
    const golden = await openGolden(name)
    const { expected } = golden
    const session = await open(golden, bind(lora, { rank: 3, alpha: 6 }))
    const names = session.table.slices.map((slice) => slice.name)
    const begun = [...expected.keys()].filter((key) => key.startsWith('lora.init.'))
    expect(names.map((each) => `lora.init.${each}`).sort()).toEqual(begun.sort())
    const parameters = session.parameters.slice()
    for (const [each, { data }] of namedViews(session.table, parameters))
      data.set(floats(expected, `lora.init.${each}`))
    session.setParameters(parameters)
    const { loss, flat } = await session.gradients(batchOf(expected))
    expect(Math.abs(loss - floats(expected, 'lora.loss')[0]!)).toBeLessThan(TOLERANCE)
    for (const [each, { data }] of namedViews(session.table, flat)) {
      const reference = floats(expected, `lora.grad.${each}`)
      expect(relativeError(data, reference), each).toBeLessThan(TOLERANCE)
    }
    await session.release()
  })
})

describe.each(GOLDEN_ENCODERS.bare)('%s', (name) => {
  test('hidden states and embeddings of pairs of texts are transformers’', async () => {
    const { model, weights, expected } = await openGolden(name)
    const [count, seq] = expected.get('tokens')!.shape as [number, number]
    const g = createGraph()
    const whole = (input: string) => g.input(input, 'int32', ['batch', 'seq'])
    const [tokens, positions, tokenTypes, segments] = [
      'tokens',
      'positions',
      'types',
      'segments',
    ].map(whole)
    const shared = { positions: positions!, batch: 'batch', seq: 'seq' }
    const { hiddenStates } = model.architecture.forward(
      createScope(g, model.weights, { maxPositions: seq }),
      {
        ...shared,
        tokens: tokens!,
        tokenTypes: tokenTypes!,
        attention: { kind: 'bidirectional', segments: segments! },
      },
      model.config,
    )
    const embedding = meanPooled({}, g, { ...shared, hiddenStates, segments: segments! })
    const outputs = { hidden: hiddenStates, embedding }
    const runner = await createRunner(g, outputs, { device, purpose: 'generate', frozen: weights })
    const results = await runner.run({
      tokens: int32(integers(expected, 'tokens'), [count, seq]),
      types: int32(integers(expected, 'token_types'), [count, seq]),
      segments: int32(segmentsOf(expected), [count, seq]),
      positions: countingPositions(count, seq),
    })
    await runner.release()
    const hidden = results.hidden!.data as Float32Array
    const states = floats(expected, 'hidden')
    const width = states.length / (count * seq)
    integers(expected, 'attention_lengths').forEach((length, b) => {
      for (let i = b * seq * width; i < (b * seq + length) * width; i++)
        expect(Math.abs(hidden[i]! - states[i]!)).toBeLessThan(TOLERANCE)
    })
    const reference = floats(expected, 'embedding')
    ;(results.embedding!.data as Float32Array).forEach((x, i) =>
      expect(Math.abs(x - reference[i]!)).toBeLessThan(1e-5),
    )
    expect(classesOf(model)).toBeUndefined()
  })
})
