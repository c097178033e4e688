/** @file Batches hold what they should; order follows from seed and step. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  countLabelled,
  fitExamples,
  makeBatch,
  rowsOfStep,
  type Example,
} from '../../../evals/finetune/dataset.ts'

describe('fitExamples', () => {
  const example = (length: number, from: number): Example => ({
    ids: Array.from({ length }, (_, i) => i),
    labelled: Array.from({ length }, (_, i) => i >= from),
  })

  test('cuts long rows, and leaves out and counts those whose reply is cut away', () => {
    const fitted = fitExamples([example(4, 2), example(9, 2), example(9, 5), example(9, 6)], 6)
    expect(fitted.examples.map(({ ids }) => ids.length)).toEqual([4, 6, 6])
    expect(fitted.examples.every(({ ids, labelled }) => ids.length === labelled.length)).toBe(true)
    expect(fitted).toMatchObject({ truncated: 3, dropped: 1 })
  })

  test('a row of exactly the limit is whole', () => {
    expect(fitExamples([example(6, 2)], 6)).toMatchObject({ truncated: 0, dropped: 0 })
  })
})

describe('rowsOfStep', () => {
  const plans = fc.record({
    count: fc.integer({ min: 1, max: 40 }),
    rowsPerStep: fc.integer({ min: 1, max: 17 }),
    seed: fc.nat(1000),
  })

  test('sees every row once an epoch, whatever the batch size', () => {
    fc.assert(
      fc.property(plans, ({ count, rowsPerStep, seed }) => {
        const steps = Math.ceil((3 * count) / rowsPerStep)
        const seen = Array.from({ length: steps }, (_, step) =>
          rowsOfStep(count, rowsPerStep, step, seed),
        ).flat()
        for (let epoch = 0; epoch < 3; epoch++) {
          const rows = seen.slice(epoch * count, (epoch + 1) * count)
          expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
        }
      }),
    )
  })

  test('is a function of seed and step: asked in any order, it says the same', () => {
    fc.assert(
      fc.property(plans, fc.array(fc.nat(50)), ({ count, rowsPerStep, seed }, steps) => {
        const ask = (step: number) => rowsOfStep(count, rowsPerStep, step, seed)
        const forward = steps.map(ask)
        rowsOfStep(count + 1, rowsPerStep, 0, seed + 1)
        expect(steps.toReversed().map(ask).toReversed()).toEqual(forward)
      }),
    )
  })

  test('differs between seeds and between epochs', () => {
    const order = (epoch: number, seed: number) => rowsOfStep(30, 30, epoch, seed)
    expect(order(0, 1)).not.toEqual(order(0, 2))
    expect(order(0, 1)).not.toEqual(order(1, 1))
  })

  test('gives the same stream of rows for 2 × 4 as for 8', () => {
    const eight = rowsOfStep(11, 8, 3, 9)
    const four = [6, 7].flatMap((step) => rowsOfStep(11, 4, step, 9))
    expect(four).toEqual(eight)
  })
})

describe('makeBatch', () => {
  const [a, b]: [Example, Example] = [
    { ids: [5, 6, 7, 8], labelled: [false, false, true, true] },
    { ids: [9, 4], labelled: [false, true] },
  ]

  test('pads at the end and labels the position before each labelled token', () => {
    const batch = makeBatch([a, b], 99)
    expect(batch).toMatchObject({ batch: 2, seq: 4 })
    expect(Array.from(batch.tokens)).toEqual([5, 6, 7, 8, 9, 4, 99, 99])
    expect(Array.from(batch.rows)).toEqual([1, 2, 4])
    expect(Array.from(batch.labels)).toEqual([7, 8, 4])
    expect(batch.weights).toEqual(new Float32Array(3).fill(1 / 3))
  })

  test('weighs by the whole step’s labelled tokens', () => {
    const total = countLabelled([a, b])
    const weights = [a, b].flatMap((each) => Array.from(makeBatch([each], 0, total).weights))
    expect(weights).toEqual(Array.from(new Float32Array(3).fill(1 / 3)))
  })

  test('the first token has nothing before it, so a label there counts nowhere', () => {
    const odd = { ids: [1, 2], labelled: [true, true] }
    expect(countLabelled([odd])).toBe(1)
    expect(Array.from(makeBatch([odd], 0).rows)).toEqual([0])
  })

  test('never names a padded position, and its weights add up to 1', () => {
    const example = fc
      .array(fc.tuple(fc.nat(9), fc.boolean()), { minLength: 1, maxLength: 12 })
      .map((tokens) => ({
        ids: tokens.map(([id]) => id),
        labelled: tokens.map(([, yes], t) => t > 0 && yes),
      }))
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 6 }), (examples) => {
        const { rows, labels, weights, seq, tokens, batch } = makeBatch(examples, 99)
        expect(tokens).toHaveLength(batch * seq)
        rows.forEach((row, i) => {
          const { ids, labelled } = examples[Math.floor(row / seq)]!
          const t = (row % seq) + 1
          expect(labelled[t]).toBe(true)
          expect(labels[i]).toBe(ids[t])
        })
        expect(rows).toHaveLength(countLabelled(examples))
        const sum = weights.reduce((total, weight) => total + weight, 0)
        expect(Math.abs(sum - (rows.length > 0 ? 1 : 0))).toBeLessThan(1e-6)
      }),
    )
  })
})
