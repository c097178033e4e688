/** @file Who may join a running batch (S-LoRA's rule), and the cells of the pool. */
import { describe, expect, test } from 'vitest'
import {
  adapterCells,
  admitted,
  cellsNeeded,
  fits,
  readings,
  type Claim,
} from '../../../../evals/inference/serving/admission.ts'
import { createCells } from '../../../../evals/inference/serving/cells.ts'
import { createPool } from '../../../../evals/inference/serving/pool.ts'
import { fc } from '../../../doubles/properties.ts'

const claim = (held: number, left: number, rank?: number, name = `rank ${rank}`): Claim => ({
  held,
  left,
  ...(rank !== undefined && { adapter: { name, cells: 4 * rank } }),
})

describe('T4: admission', () => {
  const claims = [claim(10, 5, 8), claim(20, 2, 16), claim(4, 8)]

  test('the worked example needs 40 cells, beside 96 of adapters, strictly less than there are', () => {
    expect(cellsNeeded(claims)).toBe(40)
    expect(adapterCells(claims)).toBe(96)
    expect(fits(claims, { cells: 150 })).toBe(true)
    expect(fits(claims, { cells: 137 })).toBe(true)
    expect(fits(claims, { cells: 136 })).toBe(false)
  })

  test('what is needed is the most that is held at any step of a run to the end', () => {
    const rows = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 30 })), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(rows, (given) => {
        let most = 0
        for (let step = 1; step <= 30; step++) {
          const held = given.filter(([, left]) => left >= step).map(([run]) => run + step)
          most = Math.max(
            most,
            held.reduce((sum, each) => sum + each, 0),
          )
        }
        expect(cellsNeeded(given.map(([run, left]) => claim(run, left)))).toBe(most)
      }),
      { numRuns: 200 },
    )
  })

  test('the first that does not fit stops all behind it, and rows and prompt tokens are limited', () => {
    const limits = { cells: 150, rows: 4, promptTokens: 100 }
    const waiting = [claim(10, 5, 8), claim(120, 20), claim(1, 1)]
    expect(admitted([], waiting, limits)).toBe(1)
    const small = [claim(10, 1), claim(10, 1), claim(10, 1)]
    expect(admitted([claim(1, 1), claim(1, 1)], small, limits)).toBe(2)
    expect(admitted([], small, { ...limits, promptTokens: 20 })).toBe(2)
    expect(admitted([], small, limits)).toBe(3)
  })

  test('as many join as one after the other would', () => {
    const claims = fc
      .array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.nat(3)), { maxLength: 12 })
      .map((given) =>
        given.map(([held, left, rank]) => claim(held, left, rank === 0 ? undefined : rank)),
      )
    fc.assert(
      fc.property(claims, claims, fc.integer({ min: 1, max: 150 }), (running, waiting, cells) => {
        const limits = { cells, rows: 14, promptTokens: 40 }
        let [count, tokens] = [0, 0]
        for (const each of waiting) {
          const together = [...running, ...waiting.slice(0, count + 1)]
          tokens += each.held
          if (together.length > limits.rows || tokens > limits.promptTokens) break
          if (!fits(together, limits)) break
          count++
        }
        expect(admitted(running, waiting, limits)).toBe(count)
      }),
      { numRuns: 500 },
    )
  })
})

test('T3: an adapter is counted once, however many requests share it', () => {
  const shared = Array.from({ length: 5 }, () => claim(1, 1, 8))
  expect(adapterCells(shared)).toBe(32)
  expect(adapterCells([...shared, claim(1, 1, 16), claim(1, 1)])).toBe(96)
})

test('T2: used and free cells are all cells, none has two owners, and taking fails only where too few are free', () => {
  const SIZE = 500
  const cells = createCells(SIZE)
  const owned: Int32Array[] = []
  const owners = new Int8Array(SIZE)
  let state = 1
  // A linear congruential generator (Numerical Recipes) decides.
  const draw = (n: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  let used = 0
  for (let turn = 0; turn < 100_000; turn++) {
    if (draw(2) === 0) {
      const count = draw(60)
      const together = draw(2) === 0 ? cells.takeTogether(count) : undefined
      const taken = together ?? cells.take(count)
      if ((taken === undefined) !== count > SIZE - used) throw new Error(`wrong at turn ${turn}`)
      for (const cell of taken ?? [])
        if (owners[cell]!++ > 0) throw new Error(`${cell} has two owners`)
      if (taken) owned.push(taken)
      used += taken?.length ?? 0
    } else if (owned.length > 0) {
      const [given] = owned.splice(draw(owned.length), 1)
      for (const cell of given!) owners[cell]!--
      cells.give(given!)
      used -= given!.length
    }
    if (cells.free !== SIZE - used) throw new Error(`${cells.free} free at turn ${turn}`)
  }
  for (const each of owned) cells.give(each)
  expect(cells.free).toBe(SIZE)
  expect(() => cells.give(Int32Array.of(0))).toThrow('twice')
})

test('an adapter has adjacent cells where so many are adjacent, apart from those of caches', () => {
  const cells = createCells(20)
  const caches = Array.from({ length: 3 }, () => cells.take(2)!)
  cells.give(caches[1]!)
  // Cells 2 and 3 are free, and all from 6 on.
  expect([...cells.takeTogether(4)!]).toEqual([16, 17, 18, 19])
  const second = cells.takeTogether(6)!
  expect([...second]).toEqual([10, 11, 12, 13, 14, 15])
  expect([...cells.take(3)!]).toEqual([2, 3, 6])
  cells.give(second)
  // The first that went leaves its place to the next.
  expect([...cells.takeTogether(6)!]).toEqual([10, 11, 12, 13, 14, 15])
  expect([...cells.takeTogether(3)!]).toEqual([7, 8, 9])
  cells.give(caches[0]!)
  cells.give(Int32Array.of(8))
  // Of cells 0, 1 and 8.
  expect(cells.takeTogether(3)).toBeUndefined()
  expect([...cells.takeTogether(2)!]).toEqual([0, 1])
  expect([...cells.takeTogether(1)!]).toEqual([8])
  expect(cells.takeTogether(1)).toBeUndefined()
})

test('numbers come back from cells that are not adjacent, from any place among them', () => {
  const layers = [
    { heads: 2, kvHeads: 1, headDim: 8 },
    { heads: 2, kvHeads: 2, headDim: 8 },
  ]
  const pool = createPool(layers, 40)
  const cells = Int32Array.of(3, 17, 4, 30)
  const numbers = Float32Array.from({ length: 25 }, (_, i) => i + 1)
  for (const [layer, offset] of [
    [0, 7],
    [1, 33],
  ] as const) {
    pool.write({ layer, part: 'values', cells, offset }, numbers)
    const read = new Float32Array(25)
    pool.read({ layer, part: 'values', cells, offset }, read)
    expect(read).toEqual(numbers)
    const { data } = pool.buffer(layer, 'values')
    expect([...(data as Float32Array)].filter((value) => value !== 0)).toHaveLength(25)
    expect(
      [...(pool.buffer(layer, 'keys').data as Float32Array)].every((value) => value === 0),
    ).toBe(true)
  }
})

test('prompts are read the shortest first, as many at a time as the cache holds, and a long one alone', () => {
  const lengths = [40, 600, 9, 33, ...Array.from({ length: 60 }, () => 8)]
  const rows = lengths.map((length) => ({ ids: Array.from({ length }, (_, i) => i) }))
  const parts = readings(rows).map((part) => part.map(({ ids }) => ids.length))
  const eights = Array.from({ length: 60 }, () => 8)
  expect(parts).toEqual([eights, [9, 33, 40], [600]])
  expect(readings([])).toEqual([])
})
