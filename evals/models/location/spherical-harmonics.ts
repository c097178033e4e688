/**
 * @file Real spherical harmonics with the Condon–Shortley sign, orthonormal on the sphere (Rußwurm et al., ICLR 2024, §3.2).
 *
 *     φ = rad(lon + 180), θ = rad(lat + 90); Y_l0 = N_l0;  m > 0: √2·cos(mφ)·N_lm;  m < 0: √2·sin(|m|φ)·N_l|m|
 *
 * N_lm = √((2l+1)(l−m)!/(4π(l+m)!))·P_lm(cos θ) by the fully normalised recurrence, which overflows for no degree:
 *
 *     N_00 = 1/√(4π);  N_mm = −√((2m+1)/2m)·sin θ·N_(m−1)(m−1);  N_(m+1)m = √(2m+3)·cos θ·N_mm
 *     N_lm = √((4l²−1)/(l²−m²))·(cos θ·N_(l−1)m − √(((l−1)²−m²)/(4(l−1)²−1))·N_(l−2)m)
 */
import type { Numbers, Place } from './encodings.ts'

/** Features in the order l = 0 … degrees − 1, m = −l … l: degrees² of them, Σ Y² = degrees²/4π at every place. */
export function sphericalHarmonics<T>(n: Numbers<T>, { lon, lat }: Place<T>, degrees: number): T[] {
  const radians = (x: T, shift: number) => n.mul(n.add(x, n.of(shift)), n.of(Math.PI / 180))
  const [φ, θ] = [radians(lon, 180), radians(lat, 90)]
  const N = normalisedLegendre(n, n.cos(θ), n.sin(θ), degrees)
  const around = (m: number, turn: 'sin' | 'cos') =>
    n.mul(n[turn](n.mul(φ, n.of(m))), n.of(Math.SQRT2))
  const turns = Array.from({ length: degrees }, (_, m) =>
    m === 0 ? undefined : { sin: around(m, 'sin'), cos: around(m, 'cos') },
  )
  return Array.from({ length: degrees }, (_, l) =>
    Array.from({ length: 2 * l + 1 }, (__, i) => {
      const m = i - l
      const value = N[l]![Math.abs(m)]!
      return m === 0 ? value : n.mul(value, turns[Math.abs(m)]![m < 0 ? 'sin' : 'cos'])
    }),
  ).flat()
}

/** N[l][m], 0 ≤ m ≤ l < degrees, at x = cos θ and s = sin θ. */
function normalisedLegendre<T>(n: Numbers<T>, x: T, s: T, degrees: number): T[][] {
  const times = (value: T, factor: number) => n.mul(value, n.of(factor))
  const N: T[][] = Array.from({ length: degrees }, () => [])
  for (let m = 0; m < degrees; m++) {
    N[m]![m] =
      m === 0
        ? n.of(1 / Math.sqrt(4 * Math.PI))
        : times(n.mul(s, N[m - 1]![m - 1]!), -Math.sqrt((2 * m + 1) / (2 * m)))
    if (m + 1 < degrees) N[m + 1]![m] = times(n.mul(x, N[m]![m]!), Math.sqrt(2 * m + 3))
    for (let l = m + 2; l < degrees; l++) {
      const outer = Math.sqrt((4 * l ** 2 - 1) / (l ** 2 - m ** 2))
      const inner = Math.sqrt(((l - 1) ** 2 - m ** 2) / (4 * (l - 1) ** 2 - 1))
      N[l]![m] = times(n.sub(n.mul(x, N[l - 1]![m]!), times(N[l - 2]![m]!, inner)), outer)
    }
  }
  return N
}
