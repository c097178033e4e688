/** @file Checkpointing changes what is held, never what is computed: the same bits for every method and every family. */
import { describe, expect, test } from 'vitest'
import { makePackedBatch } from '../../../evals/finetune/dataset.ts'
import { METHODS, findMethod } from '../../../evals/finetune/registry.ts'
import { openTraining, type TrainingOptions } from '../../../evals/finetune/train-graph.ts'
import { GOLDEN_ENCODERS, GOLDEN_FAMILIES, openGolden } from '../../doubles/golden-llama.ts'
import { tinyModel } from '../../doubles/tiny-model.ts'
import { tinyExamples } from '../../doubles/tiny-training.ts'

type Chosen = Pick<TrainingOptions, 'model' | 'weights' | 'method'>

/** Loss and gradient where no parameter is zero, for beside a B of zeros A has no gradient. */
async function gradientOf({ model, weights, method }: Chosen, checkpointing: boolean) {
  const vocab = [...model.weights.values()].find(({ kind }) => kind === 'embedding')!.shape[0]!
  const conversed = tinyExamples(vocab).slice(0, 4)
  const examples =
    model.architecture.sees === 'all'
      ? conversed.map(({ ids }, i) => ({ ids, label: i % 2 }))
      : conversed
  const session = await openTraining({
    ...{ model, weights, method, checkpointing },
    methodConfig: method.config.parse(method.name === 'full' ? {} : { rank: 2 }),
    seed: 3,
    maxPositions: 32,
    device: { name: 'cpu', threads: 1 },
    data: { examples, padId: 0 },
  })
  session.setParameters(session.parameters.map((x, i) => x + 0.01 * Math.sin(i)))
  const { loss, flat } = await session.gradients(makePackedBatch(examples, 0))
  await session.release()
  return { loss, flat, nodes: session.nodes }
}

async function expectSameBits(chosen: Chosen) {
  const plain = await gradientOf(chosen, false)
  const twice = await gradientOf(chosen, true)
  expect(plain.flat.some((x) => x !== 0)).toBe(true)
  expect(twice.loss).toBe(plain.loss)
  expect(twice.flat).toEqual(plain.flat)
  expect(twice.nodes).toBeGreaterThan(1.2 * plain.nodes)
}

describe('to the bit, though blocks are computed twice', () => {
  const { model, weights } = tinyModel()

  test.each(METHODS)('$name', (method) => expectSameBits({ model, weights, method }))

  test.each([...GOLDEN_FAMILIES, ...GOLDEN_ENCODERS.classes])('full on %s', async (name) =>
    expectSameBits({ ...(await openGolden(name)), method: findMethod('full') }),
  )
})
