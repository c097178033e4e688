/** @file A wide head's loss in pieces of rows: the loss and gradients of one piece, for few rows, many, and fewer than pieces. */
import { bind } from '../../../../evals/finetune/method.ts'
import { describe, expect, test } from 'vitest'
import { lossPieces, PIECE_BYTES } from '../../../../evals/finetune/training/loss-pieces.ts'
import { findMethod, METHODS } from '../../../../evals/finetune/registry.ts'
import type { Model } from '../../../../evals/models/registry.ts'
import {
  LazyWeights,
  quantise,
  storageOf,
  dequantise,
} from '../../../../evals/models/weights/small-weights.ts'
import { GOLDEN_FAMILIES, openGolden } from '../../../doubles/models/golden-llama.ts'
import {
  gradientOf,
  bindSmall,
  vocabularyOf,
  type Differentiated,
} from '../../../doubles/training/one-gradient.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { sampled } from '../../../doubles/tier.ts'

/** So many labelled rows that a head over the model's vocabulary is cut into `pieces`. */
function labelledFor(model: Model, pieces: number): number {
  const labelled = ((pieces - 0.5) * PIECE_BYTES) / (4 * vocabularyOf(model))
  const lora = findMethod('lora')
  expect(lossPieces(model, bindSmall(lora), labelled)).toBe(pieces)
  return labelled
}

const inPieces = (chosen: Differentiated, pieces: number) =>
  gradientOf({ ...chosen, labelled: labelledFor(chosen.model, pieces) })

async function expectEqual(chosen: Differentiated, pieces = 3) {
  const [whole, cut] = [await inPieces(chosen, 1), await inPieces(chosen, pieces)]
  const norm = Math.hypot(...whole.flat)
  expect(norm).toBeGreaterThan(1e-4)
  expect(Math.abs(cut.loss - whole.loss)).toBeLessThan(2e-6 * Math.abs(whole.loss))
  const apart = Math.hypot(...whole.flat.map((value, i) => value - cut.flat[i]!))
  expect(apart / norm).toBeLessThan(2e-6)
  expect(cut.nodes).toBeGreaterThan(whole.nodes)
}

const tiny = tinyModel()
const method = findMethod('lora')

describe('the loss and gradients of one piece', () => {
  const methods = METHODS.filter(
    (each) => lossPieces(tiny.model, bindSmall(each), 1e9) > 1 && !bindSmall(each).prepare,
  )
  test('most methods have them', () => {
    expect(methods.length).toBeGreaterThan(METHODS.length / 3)
  })
  test.each(methods)('$name', (each) => expectEqual({ ...tiny, method: each }))

  test.each(sampled(GOLDEN_FAMILIES, 6))('of %s', async (name) =>
    expectEqual({ ...(await openGolden(name)), method }),
  )

  test('where embedding and head are one', () =>
    expectEqual({ ...tinyModel({ tied: true }), method }))

  test.each(['int8', 'fp16'] as const)('where the base is kept in %s', async (precision) => {
    const { model, weights } = tinyModel({ tied: true })
    const small = new Map(
      [...model.weights.values()].flatMap((spec) => {
        const storage = storageOf(spec, precision)
        const data = weights.get(spec.name)!
        return storage ? [[spec.name, quantise(data, spec.shape[0]!, storage)] as const] : []
      }),
    )
    const names = [...model.weights.keys()]
    const made = new LazyWeights(names, small, (name) => weights.get(name)!)
    await expectEqual({ model, weights: made, method })
    const whole = new Map(
      names.map((name) => [
        name,
        small.has(name) ? dequantise(small.get(name)!) : weights.get(name)!,
      ]),
    )
    const [ours, theirs] = [
      await inPieces({ model, weights: made, method }, 3),
      await inPieces({ model, weights: whole, method }, 3),
    ]
    expect(ours).toMatchObject({ loss: theirs.loss, flat: theirs.flat })
  })

  test.each([1, 2, 3, 5])('of %i labelled tokens in 4 pieces', async (count) => {
    const ids = [3, 1, 4, 1, 5, 9, 2, 6]
    const examples = [{ ids, labelled: ids.map((_, i) => i > 0 && i <= count) }]
    await expectEqual({ ...tiny, method, examples }, 4)
  })

  test('to the bit, where blocks are computed twice', async () => {
    const [once, twice] = [
      await inPieces({ ...tiny, method }, 3),
      await inPieces({ ...tiny, method, checkpointing: true }, 3),
    ]
    expect([twice.loss, twice.flat]).toEqual([once.loss, once.flat])
  })
})

describe('one piece', () => {
  const piecesOf = (name: string, config: object = {}) => {
    return lossPieces(tiny.model, bind(findMethod(name), config), 1e9)
  }
  test('where the head is trained, or the loss is a method’s own', () => {
    expect(piecesOf('full', { trainEmbeddings: true })).toBe(1)
    expect(piecesOf('full', { trainEmbeddings: false })).toBeGreaterThan(1)
    const own = METHODS.filter((each) => bindSmall(each).loss !== undefined).map(({ name }) =>
      piecesOf(name),
    )
    expect(new Set(own)).toEqual(new Set([1]))
  })

  test('where logits are few', () => {
    expect(lossPieces(tiny.model, bindSmall(method), 512)).toBe(1)
  })
})
