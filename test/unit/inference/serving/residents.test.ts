/** @file Where adapters lie in the pool while caches come and go: the addon copies one together whose cells are not adjacent. */
import { expect, test } from 'vitest'
import type { Kind } from '../../../../evals/inference/serving/adapter-slots.ts'
import { createPool } from '../../../../evals/inference/serving/pool.ts'
import { createResidents } from '../../../../evals/inference/serving/residents.ts'

/** One weight of 8 × 8 with rank 4: four cells of eight numbers. */
const kind: Kind = {
  stack: 'stack0',
  cells: 4,
  pieces: [{ weight: 'w', layer: 0, rank: 4, shape: [8, 8], offset: { keys: 0, values: 0 } }],
}
const change = { rank: 4, scale: 1, A: new Float32Array(32), B: new Float32Array(32) }
const adapter = (k: number) => ({
  name: `arm-${k}`,
  kind,
  load: () => Promise.resolve(new Map([['w', change]])),
})
const isAdjacent = (cells: Int32Array) =>
  cells.every((cell, i) => i === 0 || cell === cells[i - 1]! + 1)

test('adapters that are read between tokens have adjacent cells, and the next one the place of one that goes', async () => {
  const pool = createPool([{ heads: 1, kvHeads: 1, headDim: 8 }], 60)
  const residents = createResidents(pool)
  const none = new Set<string>()
  const tokens: Int32Array[] = []
  for (let k = 0; k < 40; k++) {
    tokens.push(residents.take(1, none)!, residents.take(2, none)!)
    // Every other request ends, so that the lowest cells are free here and there.
    pool.give(tokens.splice(k % tokens.length, 1)[0]!)
    if (tokens.length > 9) pool.give(tokens.shift()!)
    expect(await residents.bring(adapter(k), none)).toBe(true)
    expect(isAdjacent(residents.cellsOf(`arm-${k}`)), `arm-${k}`).toBe(true)
  }
  expect(residents.loads).toBe(40)
})
