/** @file Checkpointing changes what is held, never what is computed: the same bits for every method and every family. */
import { describe, expect, test } from 'vitest'
import { METHODS, findMethod } from '../../../evals/finetune/registry.ts'
import { GOLDEN_ENCODERS, GOLDEN_FAMILIES, openGolden } from '../../doubles/models/golden-llama.ts'
import { gradientOf, type Differentiated } from '../../doubles/training/one-gradient.ts'
import { tinyModel } from '../../doubles/models/tiny-model.ts'
import { sampled } from '../../doubles/tier.ts'

async function expectSameBits(chosen: Differentiated) {
  const plain = await gradientOf(chosen)
  const twice = await gradientOf({ ...chosen, checkpointing: true })
  expect(plain.flat.some((x) => x !== 0)).toBe(true)
  expect(twice.loss).toBe(plain.loss)
  expect(twice.flat).toEqual(plain.flat)
  // What is light is made again in both.
  expect(twice.nodes).toBeGreaterThan(1.1 * plain.nodes)
}

describe('to the bit, though blocks are computed twice', () => {
  const { model, weights } = tinyModel()

  test.each(METHODS)('$name', (method) => expectSameBits({ model, weights, method }))

  test.each(sampled([...GOLDEN_FAMILIES, ...GOLDEN_ENCODERS.classes], 8))(
    'full on %s',
    async (name) => expectSameBits({ ...(await openGolden(name)), method: findMethod('full') }),
  )
})
