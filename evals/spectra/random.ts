/** @file Seeded randomness for null distributions and probes: xoshiro128** and Box–Muller, the same on every machine. */

/** Uniform on (0, 1), never 0, so that a logarithm can be taken. */
export type Uniform = () => number

const rotate = (x: number, k: number) => ((x << k) | (x >>> (32 - k))) >>> 0

/** xoshiro128** (Blackman and Vigna), its state filled from `seed` by a splitmix32 counter. */
export function seededUniform(seed: number): Uniform {
  let counter = seed >>> 0
  const next = () => {
    counter = (counter + 0x9e3779b9) >>> 0
    let z = counter
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let [a, b, c, d] = [next(), next(), next(), next()]
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return (result + 0.5) / 4294967296
  }
}

/** Standard normals in place, by pairs. */
export function fillNormal(target: Float64Array, uniform: Uniform): Float64Array {
  for (let i = 0; i < target.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    target[i] = radius * Math.cos(angle)
    if (i + 1 < target.length) target[i + 1] = radius * Math.sin(angle)
  }
  return target
}

/** One χ² with `degrees` > 0 of freedom: twice a Gamma(degrees / 2) (Marsaglia and Tsang 2000). */
export function chiSquare(degrees: number, uniform: Uniform): number {
  const shape = degrees / 2
  if (shape < 1) return chiSquare(degrees + 2, uniform) * Math.pow(uniform(), 1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  const pair = new Float64Array(1)
  for (;;) {
    const x = fillNormal(pair, uniform)[0]!
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return 2 * d * v
  }
}
