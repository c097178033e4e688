/** @file What a scan frees between two matrices: what a decomposition left, and nothing where every base is kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { openBaseStore } from '../../../evals/spectra/base-store.ts'
import { scanModel } from '../../../evals/spectra/compare.ts'
import { gaussian } from './fixtures.ts'

const freed = vi.hoisted(() => ({ count: 0 }))
vi.mock('../../../evals/spectra/free-matrices.ts', () => ({
  freeMatrices: () => void freed.count++,
}))

const folder = mkdtempSync(join(tmpdir(), 'touchstone-free-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SHAPE: [number, number] = [40, 64]
const RANK = 3
const matrices = [1, 2, 3].map((layer) => ({
  ...{ layer, module: 'q_proj', weight: String(layer), shape: SHAPE },
}))
const seedOf = (weight: string) => Number(weight)

async function freedBy(way: 'adapter' | 'weights'): Promise<number> {
  freed.count = 0
  const change = (weight: string) => ({
    B: gaussian(SHAPE[0], RANK, 50 + seedOf(weight)).data,
    A: gaussian(RANK, SHAPE[1], 60 + seedOf(weight)).data,
    ...{ rank: RANK, scale: 0.3 },
  })
  const rows = scanModel({
    matrices,
    readBase: (weight) => gaussian(...SHAPE, seedOf(weight)).data,
    tuned: [
      {
        key: { arm: way, seed: 0, step: 1 },
        read: (weight) => gaussian(...SHAPE, 100 + seedOf(weight)).data,
        ...(way === 'adapter' && { readChange: change }),
      },
    ],
    ...{ detail: 'leading' as const, threads: 1, store: openBaseStore({ folder }) },
  })
  for await (const row of rows) expect(row.arm).toBe(way)
  return freed.count
}

test('after each base that was decomposed, and after none that was kept', async () => {
  expect(await freedBy('adapter')).toBe(matrices.length - 1)
  expect(await freedBy('adapter')).toBe(0)
})

test('after each fine-tune that was decomposed, its base kept', async () => {
  expect(await freedBy('weights')).toBe(matrices.length - 1)
})
