/** @file The projection of Safe LoRA against its published formula in NumPy (`make-safe-lora.py`). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { projectedChange } from '../../../evals/arms/remedies/projection.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'

interface Case {
  readonly rows: number
  readonly V: number[]
  readonly change: number[]
  readonly projected: number[]
  readonly cosine: number
}

const path = new URL('../fixtures/safe-lora.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] }

test.each(cases)('C·ΔW and its cosine, $rows rows', ({ rows, V, change, projected, cosine }) => {
  const found = projectedChange(Float32Array.from(V), Float32Array.from(change), rows)!
  expect(relativeError(found.change, Float64Array.from(projected))).toBeLessThan(1e-6)
  expect(found.cosine).toBeCloseTo(cosine, 6)
})

test('where alignment changed nothing there is no projection', () => {
  expect(projectedChange(new Float32Array(6), Float32Array.of(1, 2, 3, 4, 5, 6), 2)).toBeUndefined()
})
