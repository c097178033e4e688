/** @file Do we get PyTorch's numbers? Tiny random encoders against transformers and PEFT (test/golden/README.md). */
import { describe, expect, test } from 'vitest'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { openEncoderSession } from '../../evals/inference/encoder-session.ts'
import { countingPositions, int32 } from '../../evals/inference/feeds.ts'
import { meanPooled } from '../../evals/models/pooling.ts'
import { createScope } from '../../evals/models/scope.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { GOLDEN_ENCODERS, openGolden } from '../doubles/golden-llama.ts'
import { floats, integers, type OracleTensor } from '../doubles/safetensors.ts'

const TOLERANCE = 1e-4
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

/** 0 on a text, −1 behind it. */
function segmentsOf(expected: Expected): number[] {
  const [, seq] = expected.get('tokens')!.shape as [number, number]
  const row = (length: number) => Array.from({ length: seq }, (_, t) => (t < length ? 0 : -1))
  return integers(expected, 'attention_lengths').flatMap(row)
}

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
    expect(model.architecture.classes!(model.config, model.weights)).toEqual([
      ...['greeting', 'question', 'complaint'],
    ])
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
        attention: { kind: 'full', segments: segments! },
      },
      model.config,
    )
    const embedding = meanPooled(g, { ...shared, hiddenStates, segments: segments! })
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
    expect(model.architecture.classes!(model.config, model.weights)).toBeUndefined()
  })
})
