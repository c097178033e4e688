/** @file Scene readers against PyTorch in float64: scores of words, loss and every gradient. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../../evals/finetune/methods/full.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { openEncoderSession } from '../../../evals/inference/encoder-session.ts'
import { SCENE_READER, SENSES } from '../../../evals/models/families/scene-reader.ts'
import { numberTokenizer } from '../../../evals/models/text/number-tokenizer.ts'
import { floats, integers, readOracle, relativeError } from '../../doubles/models/safetensors.ts'
import { sineModel } from '../../doubles/models/sine-model.ts'
import { lanes } from '../../doubles/training/lanes.ts'

/** Written again in make-scene-reader.py. */
const [width, heads, batch] = [8, 2, 3]
const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4

function modelOf(senses: string) {
  const config = {
    ...{ model_type: SCENE_READER, senses, hidden_size: width, num_attention_heads: heads },
    num_labels: 12,
  }
  return sineModel(config)
}

describe.each(SENSES)('%s', (senses) => {
  const oracle = readOracle(
    join(import.meta.dirname, '../fixtures', `scene-reader-${senses}`, 'expected.safetensors'),
  )
  const numbers = Array.from(floats(oracle, 'rows'))
  const length = numbers.length / batch
  const ids = Array.from({ length: batch }, (_, b) =>
    numberTokenizer('').encode(numbers.slice(b * length, (b + 1) * length).join(' ')),
  )

  test('scores of words', async () => {
    const { model, weights } = modelOf(senses)
    const limits = { maxPositions: length, padId: 0, batchSize: batch }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const told = (await session.run('classes', ids)).flatMap((each) => [...each])
    expect(relativeError(told, floats(oracle, 'logits'))).toBeLessThan(TOLERANCE)
    await session.release()
  })

  test('loss and every gradient', async () => {
    const { model, weights } = modelOf(senses)
    const method = bind(full, { learningRateScale: 1 })
    const open = { model, weights, method, device, seed: 0, maxPositions: length }
    const session = await openTraining(open)
    const { loss, flat } = await session.gradients({
      tokens: Int32Array.from(ids.flat()),
      ...lanes(batch, length),
      rows: Int32Array.from(ids, (_, b) => length * b),
      labels: Int32Array.from(integers(oracle, 'labels')),
      weights: new Float32Array(batch).fill(1 / batch),
    })
    expect(relativeError([loss], floats(oracle, 'loss'))).toBeLessThan(TOLERANCE)
    for (const [name, { data }] of namedViews(session.table, flat))
      expect(relativeError(data, floats(oracle, `scene.grad.${name}`)), name).toBeLessThan(
        TOLERANCE,
      )
    await session.release()
  })
})
