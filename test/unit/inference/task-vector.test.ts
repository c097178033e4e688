/** @file Task vectors: the mean over prompts of the last hidden state at the last token, from which the head gives its logits. */
import { expect, test } from 'vitest'
import { openTaskVectors } from '../../../evals/inference/probes/task-vector.ts'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../../evals/inference/score.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const device = { name: 'cpu', threads: 1 } as const
const { model, weights, options } = tinyModel()
const state = { model, frozen: weights }

test('the head of a task vector of one prompt gives the probabilities of the next token', async () => {
  const session = await openTaskVectors(state, device, 32)
  const ids = randomIds('prompt', 7, options.vocab)
  const vector = await session.of([ids])
  const other = await session.of([ids.slice(0, 4)])
  const both = await session.of([ids, ids.slice(0, 4)])
  await session.release()
  expect(
    relativeError(
      both,
      vector.map((x, i) => (x + other[i]!) / 2),
    ),
  ).toBeLessThan(1e-6)
  const head = weights.get('lm_head.weight')!
  const logits = Array.from({ length: options.vocab }, (_, token) =>
    vector.reduce((sum, x, i) => sum + x * head[token * options.hidden + i]!, 0),
  )
  const whole = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0))
  const cached = await openCached(state, device, 32)
  const signal = new AbortController().signal
  const scoring = { session: cached, varying: {}, padId: 0, batchSize: 1, signal }
  const next = 5
  const [scores] = await scoreTexts(
    [{ key: 'text', ids: [...ids, next], from: ids.length }],
    scoring,
  )
  await cached.release()
  expect(scores![0]).toBeCloseTo(logits[next]! - whole, 4)
})
