/** @file Rows of the optical digits for one trial: drawn by the seed, nested in their number, with noise on the labels that are trained on. */
import { opticalDigits, type Digit } from '../../../bundled/digits/digits.ts'
import { randomStream } from '../../../statistics/random.ts'
import { noisyLabels } from '../label-noise.ts'

export const PIXELS = 64
export const CLASSES = 10

/** `x` `[rows, 64]` of −1 (blank) to 1 (ink). */
export interface Rows {
  readonly x: Float32Array
  readonly labels: readonly number[]
}

/** Test rows begin after so many, so that no number of samples up to it changes them. */
export const TEST_FROM = 797

let read: readonly Digit[] | undefined

const inOrder = (seed: number): Digit[] => {
  read ??= opticalDigits()
  return randomStream(seed, 'digits order').shuffle(read)
}

/** Rows `from` to `to` of the seed's order, with their own labels. */
export const cleanRows = (seed: number, from: number, to?: number): Rows =>
  rowsOf(inOrder(seed).slice(from, to))

/** A larger `samples` contains a smaller one. The test has the 1,000 last rows of the order, fewer above 797 samples. */
export function digitRows(
  { samples, labelNoise }: { readonly samples: number; readonly labelNoise: number },
  seed: number,
): { readonly train: Rows; readonly test: Rows } {
  const { x, labels } = cleanRows(seed, 0, samples)
  return {
    train: { x, labels: noisyLabels(labels, CLASSES, labelNoise, seed) },
    test: cleanRows(seed, Math.max(samples, TEST_FROM)),
  }
}

function rowsOf(digits: readonly Digit[]): Rows {
  const x = new Float32Array(digits.length * PIXELS)
  digits.forEach(({ pixels }, row) => x.set(pixels, row * PIXELS))
  return { x, labels: digits.map(({ digit }) => digit) }
}
