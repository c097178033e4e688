/**
 * @file Random numbers that are functions of (seed, label, position) only, so that a stream's state is one number.
 *
 * draw p = Threefry-2x32-20(key, counter = p), 64 bits per draw (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011); key = the seed folded with each UTF-16 unit of the label by the same function.
 */

/** Every draw but `shuffle` advances `position` by exactly one; there is no other state. */
export interface RandomStream {
  /** Draws taken so far; `randomStream(seed, label, position)` continues from there. */
  readonly position: number
  /** In [0, 1), a multiple of 2⁻⁵³. */
  readonly uniform: () => number
  /** Mean 0, variance 1, |value| < 6.8. */
  readonly normal: () => number
  /** In 0 … n − 1 for n ≤ 2³²; each probability differs from 1/n by less than 2⁻⁵³. */
  readonly integer: (n: number) => number
  /** A shuffled copy (Fisher–Yates, length − 1 draws). */
  readonly shuffle: <T>(values: readonly T[]) => T[]
}

type Words = Int32Array

const PARITY = 0x1bd11bda
const TWO_POW_32 = 2 ** 32
/** High word of the counter while deriving a key. No position reaches it, so keys and draws never share a block. */
const KEY_MAKING = -1

/** Threefry-2x32 with 20 rounds: key `[2]`, counter `[2]` → `out` `[2]`, as signed 32-bit words. */
export function threefry(out: Words, k0: number, k1: number, c0: number, c1: number): void {
  const k2 = PARITY ^ k0 ^ k1
  let a = (c0 + k0) | 0
  let b = (c1 + k1) | 0
  let first = k1
  let second = k2
  let third = k0
  for (let group = 1; group <= 5; group++) {
    if ((group & 1) === 1) {
      a = (a + b) | 0
      b = ((b << 13) | (b >>> 19)) ^ a
      a = (a + b) | 0
      b = ((b << 15) | (b >>> 17)) ^ a
      a = (a + b) | 0
      b = ((b << 26) | (b >>> 6)) ^ a
      a = (a + b) | 0
      b = ((b << 6) | (b >>> 26)) ^ a
    } else {
      a = (a + b) | 0
      b = ((b << 17) | (b >>> 15)) ^ a
      a = (a + b) | 0
      b = ((b << 29) | (b >>> 3)) ^ a
      a = (a + b) | 0
      b = ((b << 16) | (b >>> 16)) ^ a
      a = (a + b) | 0
      b = ((b << 24) | (b >>> 8)) ^ a
    }
    a = (a + first) | 0
    b = (b + second + group) | 0
    const used = first
    first = second
    second = third
    third = used
  }
  out[0] = a
  out[1] = b
}

function keyOf(seed: number, label: string): Words {
  const key = Int32Array.of(seed | 0, Math.floor(seed / TWO_POW_32) | 0)
  for (let i = 0; i < label.length; i++) {
    threefry(key, key[0]!, key[1]!, label.charCodeAt(i), KEY_MAKING)
  }
  threefry(key, key[0]!, key[1]!, label.length, KEY_MAKING)
  return key
}

function requireCount(name: string, value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new Error(`internal: ${name} must be a whole number from 0 to ${maximum}; got ${value}`)
  }
}

/** The stream of (seed, label), continued from `position`. Streams of different labels are independent. */
export function randomStream(seed: number, label: string, position = 0): RandomStream {
  if (!Number.isSafeInteger(seed)) {
    throw new Error(`internal: a seed must be a safe integer; got ${seed}`)
  }
  requireCount('position', position, Number.MAX_SAFE_INTEGER)
  const key = keyOf(seed, label)
  const [k0, k1] = [key[0]!, key[1]!]
  const words = new Int32Array(2)
  let drawn = position

  const draw = () => {
    threefry(words, k0, k1, drawn | 0, (drawn / TWO_POW_32) | 0)
    drawn++
  }
  const uniform = () => {
    draw()
    return ((words[0]! >>> 5) * 67108864 + (words[1]! >>> 6)) / 9007199254740992
  }
  const integer = (n: number) => {
    requireCount('n − 1', n - 1, TWO_POW_32 - 1)
    return Math.floor(uniform() * n)
  }
  return {
    get position() {
      return drawn
    },
    uniform,
    normal() {
      draw()
      // Box–Muller's second value is discarded: keeping it would be state besides `position`.
      const u = ((words[0]! >>> 0) + 0.5) / TWO_POW_32
      return Math.sqrt(-2 * Math.log(u)) * Math.cos((2 * Math.PI * (words[1]! >>> 0)) / TWO_POW_32)
    },
    integer,
    shuffle: (values) => shuffled(values, integer),
  }
}

/** Fills `target` with the first bits of the stream's draws from `position` on: 0 where `uniform` would be below ½. */
export function fillFirstBits(target: Uint8Array, { seed, label, position }: Place): void {
  const key = keyOf(seed, label)
  const [k0, k1] = [key[0]!, key[1]!]
  const words = new Int32Array(2)
  for (let i = 0; i < target.length; i++) {
    const drawn = position + i
    threefry(words, k0, k1, drawn | 0, (drawn / TWO_POW_32) | 0)
    target[i] = words[0]! >>> 31
  }
}

interface Place {
  readonly seed: number
  readonly label: string
  readonly position: number
}

function shuffled<T>(values: readonly T[], integer: RandomStream['integer']): T[] {
  const copy = [...values]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = integer(i + 1)
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}

/** Fills `target` with standard normals, one draw each. */
export function fillNormal<T extends Float64Array | Float32Array>(
  target: T,
  { normal }: Pick<RandomStream, 'normal'>,
): T {
  for (let i = 0; i < target.length; i++) target[i] = normal()
  return target
}

/** A χ² variate with `degrees` > 0 of freedom: twice a Gamma(degrees / 2) (Marsaglia and Tsang 2000). */
export function chiSquare(
  degrees: number,
  stream: Pick<RandomStream, 'normal' | 'uniform'>,
): number {
  const shape = degrees / 2
  if (shape < 1) return chiSquare(degrees + 2, stream) * Math.pow(stream.uniform(), 1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = stream.normal()
    const v = (1 + c * x) ** 3
    const bound = 0.5 * x * x + d - d * v + d * Math.log(v)
    if (v > 0 && Math.log(stream.uniform()) < bound) return 2 * d * v
  }
}
