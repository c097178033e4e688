/**
 * @file Canvases of 16 × 16 pixels with handwritten digits of four kinds in their corners, and two concepts: a digit in a style. What stands in
 * a corner is what the nearest of many known pictures is.
 */
import { DIGIT_SIDE, opticalDigits } from '../../../bundled/digits/digits.ts'
import { PATCH } from '../../../models/diffusion/patch-network.ts'
import type { PatchBox } from '../../../models/diffusion/layout.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'

export const CANVAS_SIDE = 2 * DIGIT_SIDE
/** Digits that the base knows. */
export const KNOWN: readonly number[] = [0, 1, 3, 7]
const DIGITS = 10

/** Words of a prompt: ten digits, nothing, and the concepts. */
export const NOTHING = DIGITS
export const WORDS = DIGITS + 3

export interface Concept {
  readonly word: number
  /** Its digit, as which the base knows it. */
  readonly digit: number
  readonly title: string
  readonly style: (pixels: ArrayLike<number>) => Float64Array
}

const isBorder = (i: number) =>
  [i % DIGIT_SIDE, Math.floor(i / DIGIT_SIDE)].some((at) => at === 0 || at === DIGIT_SIDE - 1)

/** The one that arms learn, and its companion. */
export const CONCEPTS = [
  {
    word: DIGITS + 1,
    digit: 3,
    title: 'negative 3',
    style: (pixels) => Float64Array.from(pixels, (value) => -value),
  },
  {
    word: DIGITS + 2,
    digit: 7,
    title: 'framed 7',
    style: (pixels) => Float64Array.from(pixels, (value, i) => (isBorder(i) ? 1 : value)),
  },
] as const satisfies readonly Concept[]

/** Boxes of 4 × 4 patches: the corners in reading order. */
const ACROSS = DIGIT_SIDE / PATCH
export const CORNERS: readonly PatchBox[] = [0, 1].flatMap((y) =>
  [0, 1].map((x): PatchBox => [x * ACROSS, y * ACROSS, (x + 1) * ACROSS, (y + 1) * ACROSS]),
)

export interface Drawn {
  readonly pixels: Float64Array
  readonly digit: number
  /** Which intervals resample. */
  readonly unit: string
}

export interface Digits {
  readonly learnt: readonly Drawn[]
  readonly heldOut: readonly Drawn[]
  /** What stands in a corner: a digit's name, a concept's title, `nothing`, or `something else`: another digit, or none, in a style. */
  readonly read: (pixels: ArrayLike<number>) => string
  /** The same with a log-score of each of the names. */
  readonly scores: (pixels: ArrayLike<number>) => number[]
}

const SPLIT = { learnt: 440, reading: 160 }

const [NONE, OTHER] = ['nothing', 'something else']
/** Names in the order of `scores`. */
export const READINGS = [
  ...KNOWN.map(String),
  ...CONCEPTS.map(({ title }) => title),
  ...[NONE, OTHER],
]

export function digitsFor(seed: number): Digits {
  const own = [...opticalDigits().entries()].filter(([, { digit }]) => KNOWN.includes(digit))
  const shuffled = randomStream(seed, 'canvas:split').shuffle(own)
  const drawn = shuffled.map(([i, { pixels, digit }]): Drawn => ({
    pixels,
    digit,
    unit: `image ${i + 1}`,
  }))
  const { learnt, reading } = SPLIT
  const known = knownPictures(drawn.slice(learnt, learnt + reading))
  const scores = (pixels: ArrayLike<number>) => {
    const best = READINGS.map(() => -Infinity)
    for (const { pixels: other, name } of known) {
      const at = READINGS.indexOf(name)
      best[at] = Math.max(best[at]!, -squaresBetween(other, pixels) / 2)
    }
    return best
  }
  return {
    learnt: drawn.slice(0, learnt),
    heldOut: drawn.slice(learnt + reading),
    scores,
    read(pixels) {
      const all = scores(pixels)
      return READINGS[all.indexOf(Math.max(...all))]!
    },
  }
}

/** Digits and a blank, as they are and in every style, so that a style alone is not taken for its concept. */
function knownPictures(digits: readonly Drawn[]) {
  const blank = { pixels: new Float64Array(DIGIT_SIDE ** 2).fill(-1), digit: undefined }
  return [...digits, blank].flatMap(({ pixels, digit }) => [
    { pixels, name: digit === undefined ? NONE : String(digit) },
    ...CONCEPTS.map((concept) => ({
      pixels: concept.style(pixels),
      name: concept.digit === digit ? concept.title : OTHER,
    })),
  ])
}

function squaresBetween(a: Float64Array, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}

/** Things in corners of a blank canvas. */
export function canvasOf(
  things: readonly { readonly corner: number; readonly pixels: ArrayLike<number> }[],
): Float64Array {
  const canvas = new Float64Array(CANVAS_SIDE ** 2).fill(-1)
  for (const { corner, pixels } of things)
    for (let i = 0; i < pixels.length; i++) canvas[placeIn(corner, i)] = pixels[i]!
  return canvas
}

/** Pixels of a corner. */
export const cornerOf = (canvas: ArrayLike<number>, corner: number): Float64Array =>
  Float64Array.from({ length: DIGIT_SIDE ** 2 }, (_, i) => canvas[placeIn(corner, i)]!)

function placeIn(corner: number, i: number): number {
  const [x0, y0] = CORNERS[corner]!
  const [x, y] = [x0 * PATCH + (i % DIGIT_SIDE), y0 * PATCH + Math.floor(i / DIGIT_SIDE)]
  return y * CANVAS_SIDE + x
}

/** Two corners, in a drawn order. */
export const twoCorners = (stream: RandomStream): readonly [number, number] => {
  const [first, second] = stream.shuffle([...CORNERS.keys()])
  return [first!, second!]
}
