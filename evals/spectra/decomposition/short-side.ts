/**
 * @file Prepares a weight for its Gram matrix: float64, scaled so that squares neither overflow nor underflow, short side
 * first.
 */
import { finiteNumbers, transposed, type Matrix } from './matrix.ts'

/** W / scale with its shorter side as rows: T `[p, q]`, p ≤ q; `scale` is 0 if W is. */
export type ShortSide = {
  p: number
  q: number
  T: Float64Array
  /** Whether T is W rather than Wᵀ, so that T's left vectors are W's. */
  isWide: boolean
  scale: number
  /** Tᵀ `[q, p]`. */
  transposed: () => Float64Array
}

/** Throws `spectrum.not-finite`, naming `weight`. */
export function shortSide(W: Matrix, weight: string): ShortSide {
  const { rows: m, columns: n } = W
  const numbers = finiteNumbers(W, weight)
  const scale = powerOfTwoAbove(numbers)
  if (scale > 0) for (let i = 0; i < numbers.length; i++) numbers[i]! /= scale
  const isWide = m <= n
  const other = () => transposed(numbers, m, n)
  return {
    p: Math.min(m, n),
    q: Math.max(m, n),
    T: isWide ? numbers : other(),
    isWide,
    scale,
    transposed: () => (isWide ? other() : numbers),
  }
}

/** A power of two near the largest |w|: division by it is exact, and no square overflows or underflows. */
function powerOfTwoAbove(numbers: Float64Array): number {
  let largest = 0
  for (const x of numbers) largest = Math.max(largest, Math.abs(x))
  // Limited so that the power is neither subnormal nor infinite.
  const exponent = Math.min(1023, Math.max(-1020, Math.ceil(Math.log2(largest))))
  return largest === 0 ? 0 : 2 ** exponent
}
