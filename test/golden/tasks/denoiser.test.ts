/** @file Denoisers against PyTorch in float64: noise, loss and every gradient. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../../evals/finetune/methods/full.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { openEncoderSession } from '../../../evals/inference/encoder-session.ts'
import { DENOISER } from '../../../evals/models/families/denoiser.ts'
import { numberTokenizer } from '../../../evals/models/text/number-tokenizer.ts'
import { floats, integers, readOracle, relativeError } from '../../doubles/models/safetensors.ts'
import { sineModel } from '../../doubles/models/sine-model.ts'
import { lanes } from '../../doubles/training/lanes.ts'

/** Written again in make-denoiser.py. */
const [side, width, layers, heads, words, vocabulary, batch] = [4, 8, 2, 2, 2, 5, 3]
const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4

function modelOf(network: string) {
  const config = {
    ...{ model_type: DENOISER, network, side, prompt_length: words },
    prompt_vocabulary: vocabulary,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_labels: 2,
  }
  return sineModel(config)
}

describe.each(['patches', 'points'])('%s', (network) => {
  const oracle = readOracle(
    join(import.meta.dirname, '../fixtures', `denoiser-${network}`, 'expected.safetensors'),
  )
  const parts = ['x', 't'].map((name) => Array.from(floats(oracle, name)))
  const prompt = Array.from(integers(oracle, 'prompt'))
  const row = (values: readonly number[], b: number) =>
    values.slice((b * values.length) / batch, ((b + 1) * values.length) / batch)
  const ids = Array.from({ length: batch }, (_, b) =>
    numberTokenizer('').encode([...parts, prompt].flatMap((values) => row(values, b)).join(' ')),
  )

  test('noise', async () => {
    const { model, weights } = modelOf(network)
    const limits = { maxPositions: 64, padId: 0, batchSize: batch }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const told = (await session.run('classes', ids)).flatMap((each) => [...each])
    expect(relativeError(told, floats(oracle, 'logits'))).toBeLessThan(TOLERANCE)
    await session.release()
  })

  test('loss and every gradient', async () => {
    const { model, weights } = modelOf(network)
    const method = bind(full, { learningRateScale: 1 })
    const open = { model, weights, method, device, seed: 0, maxPositions: 64 }
    const session = await openTraining(open)
    const seq = ids[0]!.length
    const { loss, flat } = await session.gradients({
      tokens: Int32Array.from(ids.flat()),
      ...lanes(batch, seq),
      rows: Int32Array.from(ids, (_, b) => seq * b),
      labels: new Int32Array(batch),
      targets: Float32Array.from(floats(oracle, 'target')),
      weights: new Float32Array(batch).fill(1 / batch),
    })
    expect(relativeError([loss], floats(oracle, 'loss'))).toBeLessThan(TOLERANCE)
    for (const [name, { data }] of namedViews(session.table, flat))
      expect(relativeError(data, floats(oracle, `denoiser.grad.${name}`)), name).toBeLessThan(
        TOLERANCE,
      )
    await session.release()
  })
})
