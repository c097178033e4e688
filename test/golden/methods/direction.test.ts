/** @file Directions between activations against transformers on a tiny Llama, and the direction that changes share against numpy. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  cosineOf,
  differenceOfMeans,
  gapLeavingOneOut,
} from '../../../evals/arms/causes/difference-of-means.ts'
import { openResidualStream } from '../../../evals/inference/probes/residual-stream.ts'
import { sharedDirection } from '../../../evals/spectra/shared-direction.ts'
import { auroc } from '../../../evals/statistics/classify/two-classes.ts'
import { FIXTURES, openGolden } from '../../doubles/models/golden-llama.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'

/** test/golden/make-direction.py */
const golden = JSON.parse(readFileSync(join(FIXTURES, 'direction.json'), 'utf8')) as {
  base: string
  positions: number
  prompts: Record<'refuse' | 'answer', number[][]>
  places: { layer: number; position: number; direction: number[]; area: number; gap: number }[]
  changes: {
    name: 'ablated' | 'other'
    weights: { columns: number; before: number[]; after: number[] }[]
    shared: number
    left: number
    direction: number[]
  }[]
}

test.each([1, 4])(
  'differences of means are transformers’, %i prompts in a batch',
  async (batchSize) => {
    const { model, weights } = await openGolden(golden.base)
    const { positions, prompts } = golden
    const stream = await openResidualStream(
      { model, frozen: weights },
      { name: 'cpu', threads: 1 },
      { longest: 16, positions, batchSize, padId: 0 },
    )
    const { signal } = new AbortController()
    const [refuse, answer] = await Promise.all([
      stream.of(prompts.refuse, signal),
      stream.of(prompts.answer, signal),
    ])
    await stream.release()
    expect(golden.places).toHaveLength(stream.layers * positions)
    golden.places.forEach(({ layer, position, direction, area, gap }, place) => {
      expect([layer, position]).toEqual([Math.floor(place / 2), (place % 2) - 2])
      const here = (rows: readonly Float32Array[]) =>
        rows.map((row) => row.subarray(place * direction.length, (place + 1) * direction.length))
      const at = { refuse: here(refuse), answer: here(answer) }
      const ours = differenceOfMeans(at)
      expect(relativeError([...ours], direction)).toBeLessThan(1e-5)
      const along = (row: Float32Array) => cosineOf(ours, Float64Array.from(row)) * length(row)
      const scored = [
        ...at.refuse.map((row) => [along(row), true] as const),
        ...at.answer.map((row) => [along(row), false] as const),
      ]
      expect(auroc(scored)).toBeCloseTo(area, 9)
      expect(gapLeavingOneOut(at)).toBeCloseTo(gap, 4)
    })
  },
)

const length = (row: Float32Array) => Math.hypot(...row)

test.each(golden.changes)('what changes share is numpy’s: $name', (expected) => {
  const { weights, name } = expected
  const found = sharedDirection(weights.length, (k) => {
    const { columns, before, after } = weights[k]!
    const numbers = { before: Float64Array.from(before), after: Float64Array.from(after) }
    return { rows: 5, columns, ...numbers }
  })!
  expect(found.shared).toBeCloseTo(expected.shared, 10)
  expect(found.left).toBeCloseTo(expected.left, 8)
  expect(Math.abs(cosineOf(found.direction, Float64Array.from(expected.direction)))).toBeCloseTo(
    1,
    8,
  )
  // A removed direction is shared by all, and nothing is left of it.
  if (name === 'ablated')
    expect([found.shared, found.left]).toEqual([expect.closeTo(1, 9), expect.closeTo(0, 7)])
  else expect(found.shared).toBeLessThan(0.9)
})
