/**
 * @file Student's t: P[T ≤ t] = 1 − ½ I_x(ν/2, ½) for t ≥ 0, with x = ν/(ν + t²), and its inverse by bisection. I is the
 * regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8, 26.7.1).
 */
import { requireShare } from './require.ts'

/** Terms of the fraction; it converges in O(√ν). */
const TERMS = 10_000
const TINY = 1e-300

/** ln Γ by Stirling's series, after the argument is raised above 15. */
function logGamma(x: number): number {
  let [shifted, product] = [x, 1]
  while (shifted < 15) product *= shifted++
  const r = 1 / (shifted * shifted)
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / shifted
  const stirling = (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2
  return stirling + series - Math.log(product)
}

/** I_x(a, b) for x below (a + 1)/(a + b + 2), by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  let [c, d] = [1, 1 / Math.max(TINY, 1 - ((a + b) * x) / (a + 1))]
  let value = d
  for (let m = 1; m <= TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    const before = value
    for (const term of [even, odd]) {
      d = 1 / (1 + term * d)
      c = 1 + term / c
      value *= c * d
    }
    if (Math.abs(value - before) < 1e-16 * value) break
  }
  const front = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)
  return (Math.exp(front) * value) / a
}

const incompleteBeta = (x: number, a: number, b: number): number =>
  x < (a + 1) / (a + b + 2) ? betaFraction(x, a, b) : 1 - betaFraction(1 - x, b, a)

/** P[T ≤ t] with `degrees` > 0 of freedom, which need not be whole. */
export function studentLowerTail(t: number, degrees: number): number {
  if (t === 0) return 0.5
  const half = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
  return t < 0 ? half : 1 - half
}

/** t with P[T ≤ t] = p; 2.045 for 0.975 and 29 degrees. */
export function studentQuantile(p: number, degrees: number): number {
  requireShare('p', p)
  if (p < 0.5) return 0 - studentQuantile(1 - p, degrees)
  let [low, high] = [0, 1]
  while (studentLowerTail(high, degrees) < p) high *= 2
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (studentLowerTail(middle, degrees) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
