/**
 * @file The normal distribution: Φ(x) = ½ erfc(−x/√2), and its inverse by Newton's method from a rational approximation.
 *
 * erfc by its Taylor series for small |x| and by Laplace's continued fraction beyond (Abramowitz and Stegun 7.1.6, 7.1.14).
 */
import { requireShare } from './require.ts'

const SERIES_UP_TO = 3
const FRACTION_TERMS = 120

/** P[N(0, 1) ≤ x], accurate to about 10⁻¹⁵, relative in the lower tail. */
export function normalLowerTail(x: number): number {
  if (Number.isNaN(x)) throw new Error('internal: a normal tail of NaN')
  if (x > SERIES_UP_TO) return 1 - normalLowerTail(-x)
  if (x < -SERIES_UP_TO) return density(x) / fraction(-x)
  // Φ(x) = ½ + φ(x)(x + x³/3 + x⁵/(3·5) + …)
  let term = x
  let sum = x
  for (let k = 3; Math.abs(term) > 1e-18; k += 2) {
    term *= (x * x) / k
    sum += term
  }
  return 0.5 + density(x) * sum
}

const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

/** x + 1/(x + 2/(x + 3/(x + …))), so that P[N > x] = φ(x) / fraction(x). */
function fraction(x: number): number {
  let value = x
  for (let k = FRACTION_TERMS; k >= 1; k--) value = x + k / value
  return value
}

/** z with P[N(0, 1) ≤ z] = p; 1.959964 for 0.975. */
export function normalQuantile(p: number): number {
  requireShare('p', p)
  if (p > 0.5) return -normalQuantile(1 - p)
  // Hastings' approximation (Abramowitz and Stegun 26.2.23), with an error below 4.5e-4.
  const t = Math.sqrt(-2 * Math.log(p))
  const start =
    (2.515517 + t * (0.802853 + t * 0.010328)) /
    (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  let z = start - t
  for (let i = 0; i < 4; i++) z -= (normalLowerTail(z) - p) / density(z)
  return z
}
