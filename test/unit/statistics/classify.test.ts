/** @file Two classes: known tables and orders, and a logistic fit at which its gradient is zero. */
import { describe, expect, test } from 'vitest'
import { fitLogistic } from '../../../evals/statistics/classify/logistic.ts'
import { auroc, f1, matthews, roc } from '../../../evals/statistics/classify/two-classes.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

test('F1 and Matthews’ correlation of a known table', () => {
  const table = { tp: 50, tn: 40, fp: 10, fn: 5 }
  expect(f1(table)).toBeCloseTo(0.869565, 6)
  expect(matthews(table)).toBeCloseTo(0.715626, 6)
  const empty = { tp: 0, tn: 3, fp: 0, fn: 0 }
  expect([f1(empty), matthews(empty)]).toEqual([null, null])
})

describe('the area under the curve', () => {
  test('is the share of pairs in order, ties by half', () => {
    expect(
      auroc([
        [3, true],
        [2, false],
        [2, true],
        [1, false],
      ]),
    ).toBe(3.5 / 4)
    expect(auroc([[1, true]])).toBeNull()
  })

  test('is what counting pairs gives', () => {
    const stream = randomStream(0, 'auroc')
    const rows = Array.from(
      { length: 80 },
      () => [stream.integer(9), stream.uniform() < 0.4] as const,
    )
    const of = (wanted: boolean) => rows.filter(([, is]) => is === wanted).map(([score]) => score)
    const pairs = of(true).flatMap((a) => of(false).map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
    const share = pairs.reduce((sum: number, x) => sum + x, 0) / pairs.length
    expect(auroc(rows)).toBeCloseTo(share, 12)
    // By trapezia under the curve.
    const curve = roc(rows)
    const area = curve.slice(1).reduce((sum, { x, y }, i) => {
      const from = curve[i]!
      return sum + ((x - from.x) * (y + from.y)) / 2
    }, 0)
    expect([curve[0], curve.at(-1)]).toEqual([
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ])
    expect(area).toBeCloseTo(share, 12)
    expect(roc([[1, true]])).toEqual([])
  })
})

describe('logistic regression', () => {
  test('of one column that takes two values has the log-odds of each', () => {
    const rows = Array.from({ length: 20 }, (_, i) => [i < 10 ? 0 : 1])
    const labels = rows.map(([x], i) => (x === 0 ? i < 3 : i < 18))
    const { score } = fitLogistic(rows, labels, 0)
    expect(score([0])).toBeCloseTo(Math.log(3 / 7), 4)
    expect(score([1])).toBeCloseTo(Math.log(8 / 2), 4)
  })

  test('ends where the gradient of the penalised loss is zero', () => {
    const stream = randomStream(0, 'logistic')
    const rows = Array.from({ length: 60 }, () => Array.from({ length: 8 }, () => stream.normal()))
    const labels = rows.map(([a, b]) => a! + b! + stream.normal() > 0)
    expect(fitLogistic(rows, labels, 0.01).gradientNorm).toBeLessThan(1e-6)
  })
})
