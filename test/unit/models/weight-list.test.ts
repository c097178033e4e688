/** @file How an architecture's weights are found: under the checkpoint's own names, and turned where it stores them turned. */
import { expect, test } from 'vitest'
import { recognise } from '../../../evals/models/registry.ts'
import { asComputed, asStored, transposed } from '../../../evals/models/weight-list.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { indexOf } from '../../doubles/models/tiny-model.ts'
import { openGolden } from '../../doubles/models/golden-llama.ts'

const CONFIG = {
  model_type: 'gpt2',
  n_embd: 32,
  n_layer: 2,
  n_head: 4,
  n_positions: 32,
  n_inner: 40,
  vocab_size: 56,
}

test('a checkpoint of the bare model lacks the prefix: GPT-2 as it was published', async () => {
  const { model } = await openGolden('gpt2-tied')
  const shapes = [...model.weights.values()].map(
    ({ name, shape, transposed: turned }): [string, readonly number[]] => [
      name.replace('transformer.', ''),
      turned ? shape.toReversed() : shape,
    ],
  )
  const bare = recognise({ path: 'bare', config: CONFIG, weights: indexOf(new Map(shapes)) })
  expect([...bare.weights.keys()]).toEqual([...model.weights.keys()])
  for (const { name, stored } of bare.weights.values())
    expect(stored).toBe(name.replace('transformer.', ''))
  for (const { stored } of model.weights.values()) expect(stored).toBeUndefined()
})

test('a matrix that is stored as [in, out] is computed with as [out, in], and written back as it was', () => {
  const stream = randomStream(3, 'matrix')
  const stored = Float32Array.from({ length: 6 }, () => stream.normal())
  const spec = { name: 'w', kind: 'linear', shape: [3, 2], transposed: true } as const
  const computed = asComputed(stored, spec)
  // stored[input][out] = computed[out][input]
  expect(computed[2 * 2 + 1]).toBe(stored[1 * 3 + 2])
  expect(asStored(computed, spec)).toEqual({ shape: [2, 3], data: stored })
  expect(transposed(transposed(stored, 2, 3), 3, 2)).toEqual(stored)
})
