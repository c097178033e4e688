/** @file `budget:2.75`: NormalFloat with a format of its own for each matrix, by LQ-LoRA's allocation over its 432 formats. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { allocate } from './allocation.ts'
import type { Allocation, SourceMatrix } from './compression.ts'
import {
  bitsOf,
  normalCodes,
  normalFloat,
  normalValues,
  type NormalFormat,
} from './normal-float.ts'

const BITS = [2, 3, 4, 8]
const TOPS = ['float32', 'float16', 'bfloat16'] as const

/** LQ-LoRA's grid: b, b₀ ∈ {2, 3, 4, 8}, b₁ of three types, B₀ ∈ {16, 32, 64}, B₁ ∈ {16, 64, 256}. */
export const FORMATS: readonly NormalFormat[] = BITS.flatMap((bits) =>
  BITS.flatMap((scaleBits) =>
    TOPS.flatMap((top) =>
      [16, 32, 64].flatMap((block) =>
        [16, 64, 256].map((scalesBlock) => ({ bits, block, scaleBits, scalesBlock, top })),
      ),
    ),
  ),
)

/** Bits a number that the smallest format takes. */
const LEAST = Math.min(...FORMATS.map(bitsOf))

/** Numbers in the middle of a matrix on which the formats are tried, at most: one block of the largest B₁. */
const TRIED = 64 * 256

/** @param budget bits a number, over all matrices */
export const budget = (each: number): Allocation => ({
  name: `budget:${each}`,
  summary: `NormalFloat in formats of at most ${each} bits a number on average, by LQ-LoRA’s allocation`,
  source: 'Guo et al. 2023, section 3.3; Lagrangian and greedy fill in place of an integer program',
  requireRoom(numbers) {
    const [bits, least] = [each * numbers, LEAST * numbers]
    if (least > bits) throw new TouchstoneError('compress.budget', { budget: bits, least })
  },
  allocate(matrices) {
    const numbers = matrices.reduce((sum, { count }) => sum + count, 0)
    const choices = matrices.map((matrix) => triedOn(matrix))
    const { chosen } = allocate(choices, each * numbers)
    return new Map(
      matrices.map(({ name }, i) => {
        const format = FORMATS[chosen[i]!]!
        return [name, normalFloat(format.bits, format)]
      }),
    )
  },
})

/** Σ F·(w − q)² of each format, from a part of the matrix, and its bits; F is 1 without Fisher weights. */
function triedOn({ count, read, fisher }: SourceMatrix) {
  const start = Math.max(0, Math.floor((count - TRIED) / 2))
  const [weight, own] = [read(), fisher].map((data) => data?.subarray(start, start + TRIED))
  const size = weight!.length
  return FORMATS.map((format) => {
    const found = normalValues(normalCodes(weight!, format))
    let error = 0
    for (let i = 0; i < size; i++) error += (own?.[i] ?? 1) * (weight![i]! - found[i]!) ** 2
    return { bits: bitsOf(format) * count, error: (error * count) / size }
  })
}
