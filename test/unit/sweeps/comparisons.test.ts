/** @file What methods do to a planted peak, with each outcome planted too. */
import { expect, test } from 'vitest'
import type { CellRow } from '../../../evals/contract/sweeps.ts'
import { comparisonRows, pairsIn } from '../../../evals/sweeps/comparisons.ts'
import { measuresFor } from '../../../evals/sweeps/metrics.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

const RANKS = [1, 2, 4, 8]
const axis = { name: 'rank', title: 'Rank', scale: 'log' as const, values: RANKS }
const measures = measuresFor(new Set(['test-error']), [])

/** Curves 0.1, 0.1 + height, 0.1, 0.1 of ten seeds, with noise of that deviation. */
function cells(line: string, height: number, noise = 0.002): CellRow[] {
  const stream = randomStream(1, `${line} ${height}`)
  return Array.from({ length: 10 }, (_, seed) => seed).flatMap((seed) =>
    RANKS.map((rank, position): CellRow => {
      const value = 0.1 + (rank === 2 ? height : 0) + noise * stream.normal()
      const spec = { kind: 'testbed' as const, testbed: 't', threads: 1, parameters: {} }
      return {
        ...{ position, key: '0'.repeat(64), status: 'done', error: null, curves: [], seconds: 0 },
        spec: { ...spec, line, seed, axes: { rank } },
        identity: { base: null, data: null, prompts: null, numerics: '' },
        metrics: [{ name: 'test-error', value }],
      }
    }),
  )
}

const outcomeOf = (own: CellRow[]) => {
  const pairs = [{ line: 'own', against: 'lora' }]
  return comparisonRows([...cells('lora', 0.2), ...own], [axis], measures, pairs)[0]!
}

test('a lower peak is found, a higher one is the opposite, an equal one is not found', () => {
  const lower = outcomeOf(cells('own', 0.1))
  expect(lower).toMatchObject({ outcome: 'found', metric: 'test-error', seeds: 10 })
  expect(lower.height.lower).toBeLessThan(-0.1)
  expect(lower.height.upper).toBeGreaterThan(-0.11)
  expect(outcomeOf(cells('own', 0.3)).outcome).toBe('opposite')
  expect(outcomeOf(cells('own', 0.2)).outcome).toBe('not found')
})

test('noise that could hide a quarter of the peak leaves it open, with what would have been seen', () => {
  const { outcome, height } = outcomeOf(cells('own', 0.2, 0.1))
  expect(outcome).toBe('cannot be told apart')
  expect(height.smallest).toBeGreaterThan(0.05)
})

test('seeds without every place are left out, and fewer than three are no comparison', () => {
  const isKept = ({ spec }: CellRow) => spec.seed > 4 || spec.axes['rank'] !== 8
  expect(outcomeOf(cells('own', 0.1).filter(isKept)).seeds).toBe(5)
  const few = cells('own', 0.1).filter(({ spec }) => spec.seed < 2)
  const pairs = [{ line: 'own', against: 'lora' }]
  expect(comparisonRows([...cells('lora', 0.2), ...few], [axis], measures, pairs)).toEqual([])
})

test('p is Holm’s over the comparisons of a measure', () => {
  const all = [...cells('lora', 0.2), ...cells('a', 0.198, 0.01), ...cells('b', 0.1)]
  const pair = (line: string) => ({ line, against: 'lora' })
  const alone = comparisonRows(all, [axis], measures, [pair('a')])[0]!
  const [together] = comparisonRows(all, [axis], measures, [pair('a'), pair('b')])
  const { pValue } = alone.height
  expect(together!.height.pValue).toBeCloseTo(Math.min(1, pValue), 12)
  const b = comparisonRows(all, [axis], measures, [pair('b')])[0]!.height.pValue
  const [, second] = comparisonRows(all, [axis], measures, [pair('a'), pair('b')])
  expect(second!.height.pValue).toBeCloseTo(2 * b, 12)
})

test('each method is held against the first, and one with a control against that', () => {
  const pairs = pairsIn([
    { name: 'lora', config: {} },
    { name: 'ggpo', config: { sigma: 0.1 } },
    { name: 'ggpo', arm: 'weak', config: {} },
    { name: 'ggpo', arm: 'even', config: { sigma: 0.1, shape: 'isotropic' } },
  ])
  expect(pairs).toEqual([
    { line: 'ggpo', against: 'lora' },
    { line: 'weak', against: 'lora' },
    { line: 'even', against: 'lora' },
    { line: 'ggpo', against: 'even' },
  ])
})
