import { expect, test } from 'vitest'
import { spectraSeconds, type WorkSize } from '../../../../evals/audit/plan/estimate.ts'

const sizeOf = (...shape: [number, number]) => ({ matrices: [shape] }) as unknown as WorkSize
const seconds = (size: WorkSize, whole: number, draws: number) =>
  spectraSeconds(size, { tuned: 1, whole, draws, detail: 'auto' })

test('the time of spectra counts every random update, most for a change of full rank', () => {
  const small = sizeOf(128, 384)
  const [none, some, more] = [0, 19, 38].map((draws) => seconds(small, 1, draws))
  expect(more! - none!).toBeCloseTo(2 * (some! - none!), 12)
  expect(some).toBeGreaterThan(10 * none!)
  expect(seconds(small, 0, 19)).toBeLessThan(some! / 5)
})

test('a change of full rank of a large matrix is not drawn for, so that it costs nothing', () => {
  expect(seconds(sizeOf(576, 1536), 1, 19)).toBe(seconds(sizeOf(576, 1536), 1, 0))
})
