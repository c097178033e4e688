/** @file Batches hold what they should; order follows from seed and step. */
import { describe, expect, test } from 'vitest'
import {
  countLabelled,
  fitExamples,
  longestRow,
  makeBatch,
  makePackedBatch,
  rowsOfStep,
  type Conversed,
  type Truncation,
} from '../../../../evals/finetune/training/dataset.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { openTiny, tinyExamples } from '../../../doubles/training/tiny-training.ts'
import { fc } from '../../../doubles/properties.ts'

const CUT_AT_6 = { maxTokens: 6, truncation: 'cut-end' } as const

describe('fitExamples', () => {
  const example = (length: number, from: number): Conversed => ({
    ids: Array.from({ length }, (_, i) => i),
    labelled: Array.from({ length }, (_, i) => i >= from),
  })

  test('cuts long rows, and leaves out and counts those whose reply is cut away', () => {
    const fitted = fitExamples(
      [example(4, 2), example(9, 2), example(9, 5), example(9, 6)],
      CUT_AT_6,
    )
    expect(fitted.examples.map(({ ids }) => ids.length)).toEqual([4, 6, 6])
    expect(fitted.examples.every(({ ids, labelled }) => ids.length === labelled.length)).toBe(true)
    expect(fitted).toMatchObject({ truncated: 3, dropped: 1 })
  })

  test.each<[Truncation, number[][]]>([
    ['cut-end', [[0, 1, 2, 3]]],
    ['cut-start', [[6, 7, 8, 9]]],
    [
      'split',
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
      ],
    ],
    ['leave-out', []],
  ])('%s: what is left of ten tokens where four are taken', (truncation, left) => {
    const fitted = fitExamples([example(3, 1), example(10, 0)], { maxTokens: 4, truncation })
    expect(fitted.examples.slice(1).map(({ ids }) => ids)).toEqual(left)
    // Nothing stands before a piece's first token.
    for (const { labelled } of fitted.examples) expect(labelled[0]).toBe(false)
    expect(fitted).toMatchObject({ truncated: 1, dropped: left.length === 0 ? 1 : 0 })
  })

  test('a piece without a labelled token is no row', () => {
    const { examples } = fitExamples([example(10, 6)], { maxTokens: 4, truncation: 'split' })
    expect(examples.map(({ ids }) => ids[0])).toEqual([4, 8])
  })

  test('refuse: the first row that is too long is named', () => {
    const limits = { maxTokens: 4, truncation: 'refuse' } as const
    expect(() => fitExamples([example(3, 1), example(10, 0)], limits)).toThrow(/Row 2 .* 10 tokens/)
    expect(fitExamples([example(4, 1)], limits).examples).toHaveLength(1)
  })

  test('a row of exactly the limit is whole', () => {
    expect(fitExamples([example(6, 2)], CUT_AT_6)).toMatchObject({ truncated: 0, dropped: 0 })
  })
})

test('the longest of a million rows is found', () => {
  const short = { ids: [1] }
  const rows = Array.from({ length: 1_000_000 }, () => short)
  expect(longestRow([...rows, { ids: [1, 2, 3] }])).toBe(3)
  expect(longestRow([])).toBe(0)
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
  const [a, b]: [Conversed, Conversed] = [
    { ids: [5, 6, 7, 8], labelled: [false, false, true, true] },
    { ids: [9, 4], labelled: [false, true] },
  ]

  test('lays targets of numbers in the order of the rows they belong to', () => {
    const examples = [
      { ids: [1], target: [0.5, 1] },
      { ids: [2, 3], target: [2, 3] },
    ]
    for (const lay of [makeBatch, makePackedBatch]) {
      const { tokens, rows, targets, weights } = lay(examples, 0)
      const first = [...rows].map((at) => tokens[at])
      expect([...targets!]).toEqual(first.flatMap((id) => (id === 1 ? [0.5, 1] : [2, 3])))
      expect([...weights]).toEqual([0.5, 0.5])
    }
  })

  test('pads at the end and labels the position before each labelled token', () => {
    const batch = makeBatch([a, b], 99)
    // Attention reads a row in up to eight blocks, so it has at least eight tokens.
    expect(batch).toMatchObject({ batch: 2, seq: 8 })
    expect(Array.from(batch.tokens)).toEqual(
      [
        [5, 6, 7, 8],
        [9, 4],
      ].flatMap((ids) => [...ids, ...Array<number>(8 - ids.length).fill(99)]),
    )
    expect(Array.from(batch.rows)).toEqual([1, 2, 8])
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

describe('makePackedBatch', () => {
  const examples = tinyExamples(tinyModel().options.vocab)

  test('lays every row into fewer lanes of the same length, each token once', () => {
    const [apart, packed] = [makeBatch(examples, 99), makePackedBatch(examples, 99)]
    expect(packed.seq).toBe(apart.seq)
    expect(packed.batch).toBeLessThan(0.8 * apart.batch)
    const all = ({ tokens }: { tokens: Int32Array }) => [...tokens].filter((id) => id !== 99).sort()
    expect(all(packed)).toEqual(all(apart))
    expect([...packed.labels].sort()).toEqual([...apart.labels].sort())
  })

  test('rows do not see one another: loss and gradients are those of the padded batch', async () => {
    const { session } = await openTiny()
    const { loss, flat } = await session.gradients(makeBatch(examples, 0))
    const gradient = flat.slice()
    const packed = await session.gradients(makePackedBatch(examples, 0))
    await session.release()
    const norm = Math.hypot(...gradient)
    expect(norm).toBeGreaterThan(0.1)
    expect(Math.abs(packed.loss - loss)).toBeLessThan(1e-5)
    const apart = Math.hypot(...gradient.map((value, i) => value - packed.flat[i]!))
    expect(apart / norm).toBeLessThan(1e-4)
  })
})
