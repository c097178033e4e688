/**
 * @file Real spherical harmonics with the Condon–Shortley sign, orthonormal on the sphere (Rußwurm et al., ICLR 2024, §3.2).
 *
 *     φ = rad(lon + 180), θ = rad(lat + 90); Y_l0 = N_l0;  m > 0: √2·cos(mφ)·N_lm;  m < 0: √2·sin(|m|φ)·N_l|m|
 *
 * N_lm = √((2l+1)(l−m)!/(4π(l+m)!))·P_lm(cos θ) by the fully normalised recurrence, which overflows for no degree:
 *
 *     N_00 = 1/√(4π);  N_mm = −√((2m+1)/2m)·sin θ·N_(m−1)(m−1);  N_(m+1)m = √(2m+3)·cos θ·N_mm
 *     N_lm = √((4l²−1)/(l²−m²))·(cos θ·N_(l−1)m − √(((l−1)²−m²)/(4(l−1)²−1))·N_(l−2)m)
 *
 * One step of the recurrence makes N_(m+j)m of every order m at once.
 */
import type { Features, Place } from './encodings.ts'

/** Features in the order l = 0 … degrees − 1, m = −l … l: degrees² of them, Σ Y² = degrees²/4π at every place. */
export function sphericalHarmonics<T>(n: Features<T>, { lon, lat }: Place<T>, degrees: number): T {
  const radians = (x: T, shift: number) => n.mul(n.add(x, n.of(shift)), n.of(Math.PI / 180))
  const [φ, θ] = [radians(lon, 180), radians(lat, 90)]
  const orders = Array.from({ length: degrees }, (_, m) => m)
  const angles = n.mul(φ, n.of(...orders))
  const lengths = n.of(...orders.map((m) => (m === 0 ? 1 : Math.SQRT2)))
  const turns = n.join([n.mul(n.cos(angles), lengths), n.mul(n.sin(angles), lengths)])
  const N = n.join(normalisedLegendre(n, n.cos(θ), n.sin(θ), degrees))
  const places = orders.flatMap((l) =>
    Array.from({ length: 2 * l + 1 }, (_, i) => ({ l, m: i - l })),
  )
  return n.mul(
    n.pick(
      N,
      places.map(({ l, m }) => (l - Math.abs(m)) * degrees + Math.abs(m)),
    ),
    n.pick(
      turns,
      places.map(({ m }) => (m < 0 ? degrees - m : m)),
    ),
  )
}

/** N_(m+j)m of each order m at x = cos θ and s = sin θ, by j = 0 … degrees − 1; of a degree that is not wanted, any number. */
function normalisedLegendre<T>(n: Features<T>, x: T, s: T, degrees: number): T[] {
  const ofOrders = (f: (m: number) => number) =>
    n.of(...Array.from({ length: degrees }, (_, m) => f(m)))
  const diagonal = [n.add(n.mul(s, n.of(0)), n.of(1 / Math.sqrt(4 * Math.PI)))]
  for (let m = 1; m < degrees; m++)
    diagonal.push(n.mul(n.mul(s, diagonal[m - 1]!), n.of(-Math.sqrt((2 * m + 1) / (2 * m)))))
  const N = [n.join(diagonal)]
  if (degrees > 1)
    N.push(
      n.mul(
        n.mul(x, N[0]!),
        ofOrders((m) => Math.sqrt(2 * m + 3)),
      ),
    )
  for (let j = 2; j < degrees; j++) {
    const outer = ofOrders((m) => Math.sqrt((4 * (m + j) ** 2 - 1) / ((m + j) ** 2 - m ** 2)))
    const inner = ofOrders((m) =>
      Math.sqrt(((m + j - 1) ** 2 - m ** 2) / (4 * (m + j - 1) ** 2 - 1)),
    )
    N.push(n.mul(n.sub(n.mul(x, N[j - 1]!), n.mul(N[j - 2]!, inner)), outer))
  }
  return N
}
