/**
 * @file Losses on maps of attention that draw a concept into its box (LoRA-Composer, Yang et al. 2024, and its code), each with its
 * gradient; where a maximum is taken, that of the entry that is the largest.
 *
 *     L_c      = 8·max(0, 1 − mean of the top fifth of A·w in the box)     concept enhancement: the concept is there
 *     L_fill   = 2·Σ over both axes of mean |max-projection of A − the box's shadow|     localisation: it fills its box alone
 *     L_region = 10·mean of the top fifth of self-attention from the box to what lies outside     suppression of what is around
 *
 * A is smoothed by a Gaussian of 3 × 3 (σ = ½, reflected at borders); w falls from the middle of the box.
 */
import { patchesOfBox, type PatchBox } from './layout.ts'

const FACTORS = { concept: 8, fill: 2, region: 10 }
const TOP = 0.2

interface Loss {
  readonly value: number
  /** Of the map, in its order. */
  readonly gradient: Float64Array
}

interface Shaping {
  /** Whether A is smoothed, and weighted from the middle. */
  readonly smooth: boolean
  readonly central: boolean
}
const USUAL: Shaping = { smooth: true, central: true }

/** Both losses of one concept's map A `[side²]`. */
export function conceptLosses(
  A: ArrayLike<number>,
  box: PatchBox,
  side: number,
  { smooth, central }: Shaping = USUAL,
): { readonly concept: Loss; readonly fill: Loss } {
  const kernel = smooth ? GAUSSIAN : IDENTITY
  const map = smoothed(A, side, kernel)
  const back = ({ value, gradient }: Loss): Loss => ({
    value,
    gradient: smoothed(gradient, side, kernel, 'transposed'),
  })
  return {
    concept: back(enhancement(map, box, side, central)),
    fill: back(filling(map, box, side)),
  }
}

function enhancement(map: Float64Array, box: PatchBox, side: number, central: boolean): Loss {
  const patches = patchesOfBox(box, side)
  const weights = central ? centralWeights(box) : patches.map(() => 1)
  const k = Math.max(1, Math.floor(TOP * patches.length))
  const { mean, chosen } = topMean(
    patches.map((patch, i) => map[patch]! * weights[i]!),
    k,
  )
  const gradient = new Float64Array(map.length)
  const value = FACTORS.concept * Math.max(0, 1 - mean)
  if (value > 0)
    for (const i of chosen) gradient[patches[i]!] = (-FACTORS.concept * weights[i]!) / k
  return { value, gradient }
}

/** exp(−(x² + y²)/2) over linspace(−1, 1), scaled to a largest value of 1, by patch of the box. */
function centralWeights([x0, y0, x1, y1]: PatchBox): number[] {
  const places = (count: number) =>
    Array.from({ length: count }, (_, i) => (count === 1 ? 0 : (2 * i) / (count - 1) - 1))
  const all = places(y1 - y0).flatMap((y) =>
    places(x1 - x0).map((x) => Math.exp(-(x * x + y * y) / 2)),
  )
  const largest = Math.max(...all)
  return all.map((weight) => weight / largest)
}

function filling(map: Float64Array, [x0, y0, x1, y1]: PatchBox, side: number): Loss {
  const gradient = new Float64Array(map.length)
  let value = 0
  const axis = (from: number, to: number, patchAt: (along: number, across: number) => number) => {
    for (let along = 0; along < side; along++) {
      let at = patchAt(along, 0)
      for (let across = 1; across < side; across++)
        if (map[patchAt(along, across)]! > map[at]!) at = patchAt(along, across)
      const off = map[at]! - Number(along >= from && along < to)
      value += (FACTORS.fill * Math.abs(off)) / side
      gradient[at]! += (FACTORS.fill * Math.sign(off)) / side
    }
  }
  axis(x0, x1, (x, y) => y * side + x)
  axis(y0, y1, (y, x) => y * side + x)
  return { value, gradient }
}

/** Of self-attention S `[side², side²]`, by query and key. */
export function regionLoss(S: ArrayLike<number>, box: PatchBox, side: number): Loss {
  const n = side ** 2
  const patches = patchesOfBox(box, side)
  const inside = new Set(patches)
  const outside = Array.from({ length: n }, (_, key) => key).filter((key) => !inside.has(key))
  const gradient = new Float64Array(n * n)
  const pairs = patches.flatMap((query) => outside.map((key) => query * n + key))
  if (pairs.length === 0) return { value: 0, gradient }
  const k = Math.max(1, Math.floor(TOP * pairs.length))
  const { mean, chosen } = topMean(
    pairs.map((pair) => S[pair]!),
    k,
  )
  for (const i of chosen) gradient[pairs[i]!] = FACTORS.region / k
  return { value: FACTORS.region * mean, gradient }
}

function topMean(values: readonly number[], k: number) {
  const chosen = [...values.keys()].toSorted((a, b) => values[b]! - values[a]!).slice(0, k)
  return { mean: chosen.reduce((sum, i) => sum + values[i]!, 0) / k, chosen }
}

const IDENTITY = [1]
/** exp(−d²/(2σ²)) at −1, 0, 1 with σ = ½, summing to 1. */
const GAUSSIAN = ((side: number) => [side, 1, side].map((weight) => weight / (1 + 2 * side)))(
  Math.exp(-2),
)

/** By rows and by columns, reflected at borders without repeating them. */
function smoothed(
  map: ArrayLike<number>,
  side: number,
  kernel: readonly number[],
  way: 'forward' | 'transposed' = 'forward',
): Float64Array {
  const half = (kernel.length - 1) / 2
  const reflected = (i: number) => (i < 0 ? -i : i >= side ? 2 * (side - 1) - i : i)
  const pass = (from: ArrayLike<number>, at: (line: number, i: number) => number) => {
    const to = new Float64Array(side ** 2)
    for (let line = 0; line < side; line++)
      for (let i = 0; i < side; i++)
        kernel.forEach((weight, j) => {
          const [out, read] = [at(line, i), at(line, reflected(i + j - half))]
          if (way === 'forward') to[out]! += weight * from[read]!
          else to[read]! += weight * from[out]!
        })
    return to
  }
  const rows = pass(map, (y, x) => y * side + x)
  return pass(rows, (x, y) => y * side + x)
}
