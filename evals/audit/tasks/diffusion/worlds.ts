/** @file What a diffusion draws: handwritten digits, or points of a mixture of normals whose noise has closed forms. */
import { DIGIT_SIDE, opticalDigits, type Digit } from '../../../bundled/digits/digits.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { DenoiserConfig } from '../../../models/families/denoiser.ts'
import type { Mixture } from '../../../models/diffusion/mixture.ts'
import { randomStream } from '../../../statistics/random.ts'
import { readCells } from '../task-file.ts'
import type { PreparedTask } from '../task.ts'
import type { WORLDS } from './facts.ts'

/** A picture or a point, and its class. */
export interface Thing {
  readonly x: Float64Array
  readonly label: number
  /** Which intervals resample. */
  readonly unit: string
}

export interface World {
  readonly classes: readonly string[]
  readonly shape: Pick<DenoiserConfig, 'network' | 'side'>
  /** Largest |x| that samples may have. */
  readonly bound: number
  readonly learnt: readonly Thing[]
  readonly heldOut: readonly Thing[]
  /** Apart from both, for energy distances. */
  readonly reference: readonly Float64Array[]
  /** Log-scores of the classes. */
  readonly read: (x: ArrayLike<number>) => number[]
  readonly data: PreparedTask['data']
  /** The mixture, whose noise has closed forms. */
  readonly mixture?: Mixture
}

/** Learnt, and from the rest what reads samples and what they are compared to; the others are held out. */
const SPLIT = { learnt: 1100, reading: 400 }

export const OPTICAL_DIGITS: PreparedTask['data'] = {
  source:
    'Optical Recognition of Handwritten Digits, test part (Alpaydin and Kaynak 1998, UCI), as scikit-learn 1.9.1 ships it',
  licence: 'CC BY 4.0',
}

function digitsWorld(seed: number): World {
  const shuffled = randomStream(seed, 'digits:split').shuffle([...opticalDigits().entries()])
  const thing = ([i, { pixels, digit }]: readonly [number, Digit]): Thing => ({
    ...{ x: pixels, label: digit, unit: `image ${i + 1}` },
  })
  const things = shuffled.map(thing)
  const { learnt, reading } = SPLIT
  const neighbours = things.slice(learnt, learnt + reading)
  return {
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    shape: { network: 'patches', side: DIGIT_SIDE },
    bound: 1,
    learnt: things.slice(0, learnt),
    heldOut: things.slice(learnt + reading),
    reference: neighbours.map(({ x }) => x),
    read: (x) => nearestOfEach(neighbours, x),
    data: OPTICAL_DIGITS,
  }
}

const squaresBetween = (a: Float64Array, b: ArrayLike<number>) =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)

/** −‖x − nearest‖²/2 of each class: the class of the nearest neighbour has the largest. */
function nearestOfEach(neighbours: readonly Thing[], x: ArrayLike<number>): number[] {
  const best = new Array<number>(10).fill(-Infinity)
  for (const { x: other, label } of neighbours) {
    best[label] = Math.max(best[label]!, -squaresBetween(other, x) / 2)
  }
  return best
}

/** Four normals on a circle, near enough for guidance to matter. */
const RADIUS = 1.5
const MIXTURE: Mixture = {
  means: Array.from({ length: 4 }, (_, c) => [
    RADIUS * Math.cos((c * Math.PI) / 2),
    RADIUS * Math.sin((c * Math.PI) / 2),
  ]),
  variance: 1,
}
const POINTS = { learnt: 4000, heldOut: 300, reference: 400 }

function mixtureWorld(seed: number): World {
  const drawn = (name: keyof typeof POINTS): Thing[] => {
    const stream = randomStream(seed, `mixture:${name}`)
    return Array.from({ length: POINTS[name] }, (_, i) => {
      const label = stream.integer(MIXTURE.means.length)
      const x = Float64Array.from(MIXTURE.means[label]!, (μ) => μ + stream.normal())
      return { x, label, unit: `point ${i + 1}` }
    })
  }
  return {
    classes: MIXTURE.means.map((_, c) => `component ${c + 1}`),
    shape: { network: 'points', side: 2 },
    bound: 10,
    learnt: drawn('learnt'),
    heldOut: drawn('heldOut'),
    reference: drawn('reference').map(({ x }) => x),
    read: (x) => MIXTURE.means.map((mean) => -squaresBetween(Float64Array.from(mean), x) / 2),
    data: { source: 'computed: four normals in the plane', licence: 'none needed' },
    mixture: MIXTURE,
  }
}

export const WORLD_OF: Readonly<Record<(typeof WORLDS)[number], (seed: number) => World>> = {
  digits: digitsWorld,
  mixture: mixtureWorld,
}

const COLUMNS = ['digit', 'pixels'] as const

/** Columns digit (0 to 9) and pixels, 64 numbers from 0 to 16, row by row. */
export async function digitsIn(path: string): Promise<Thing[]> {
  const rows = await readCells(path, COLUMNS)
  return rows.map(({ row, cells: { digit, pixels } }) => {
    const values = pixels.split(/\s+/u).map(Number)
    if (values.length !== DIGIT_SIDE ** 2 || !values.every((value) => value >= 0 && value <= 16))
      throw new TouchstoneError('data.pixels', { path, row })
    if (!/^\d$/u.test(digit)) {
      const known = Array.from({ length: 10 }, (_, known) => String(known))
      throw new TouchstoneError('data.class', { path, row, label: digit, known })
    }
    return {
      x: Float64Array.from(values, (value) => value / 8 - 1),
      label: Number(digit),
      unit: `row ${row}`,
    }
  })
}
