/**
 * @file What the vector of a place tells of its first feature: a ridge probe in five folds, once drawn at random and once whole
 * blocks of 10° without the places within 5° of them. The generalisation gap is R² of the first less that of the second
 * (Klemmer et al. 2023, §4).
 */
import { randomStream } from '../../../statistics/random.ts'
import { fitRidge } from '../../../statistics/classify/ridge.ts'
import type { Point } from '../place-parts.ts'
import type { TaskMeasure, TaskNumber } from '../task.ts'
import type { DescribedPlace } from './described-places.ts'

const FOLDS = 5
const BLOCK = 10
const BUFFER = 5
const PENALTY = 1

export const blockOf = ({ lon, lat }: Point): string =>
  `${Math.floor(lat / BLOCK)},${Math.floor(lon / BLOCK)}`

const apart = (a: number, b: number) => {
  const way = Math.abs(a - b) % 360
  return Math.min(way, 360 - way)
}
/** Whether both coordinates differ by less than the buffer. */
const isNear = (a: Point, b: Point) =>
  apart(a.lon, b.lon) < BUFFER && Math.abs(a.lat - b.lat) < BUFFER

interface Folds {
  readonly random: readonly number[]
  readonly spatial: readonly number[]
}

function foldsOf(points: readonly Point[]): Folds {
  const stream = randomStream(0, 'satclip:folds')
  const random = points.map(() => stream.integer(FOLDS))
  const blocks = stream.shuffle([...new Set(points.map(blockOf))])
  const ofBlock = new Map(blocks.map((block, i) => [block, i % FOLDS]))
  return { random, spatial: points.map((point) => ofBlock.get(blockOf(point))!) }
}

/** For each place, what a probe says that has learnt from the places it may. */
function predicted(
  vectors: readonly (readonly number[])[],
  y: readonly number[],
  folds: readonly number[],
  mayLearn: (place: number, fold: number) => boolean,
): number[] {
  const said = new Array<number>(y.length).fill(NaN)
  for (let fold = 0; fold < FOLDS; fold++) {
    const learnt = y.flatMap((_, i) => (folds[i] !== fold && mayLearn(i, fold) ? [i] : []))
    if (learnt.length === 0) continue
    const probe = fitRidge(
      learnt.map((i) => vectors[i]!),
      learnt.map((i) => y[i]!),
      PENALTY,
    )
    vectors.forEach((vector, i) => {
      if (folds[i] === fold) said[i] = probe(vector)
    })
  }
  return said
}

/** 1 − Σ(y − ŷ)²/Σ(y − ȳ)² over rows `[y, by random folds, by spatial folds]`; null without spread. */
function explained(rows: readonly (readonly number[])[], column: number): number | null {
  const known = rows.filter((row) => Number.isFinite(row[column]))
  const mean = known.reduce((sum, [y]) => sum + y!, 0) / known.length
  const spread = known.reduce((sum, [y]) => sum + (y! - mean) ** 2, 0)
  const left = known.reduce((sum, row) => sum + (row[0]! - row[column]!) ** 2, 0)
  return spread > 0 ? 1 - left / spread : null
}

const [RANDOM, SPATIAL] = [1, 2]

const NUMBERS: readonly TaskNumber[] = [
  {
    name: 'satclip-probe-random',
    title: 'R² of the probe, random hold-out',
    unit: '',
    better: 'higher',
    of: (rows) => explained(rows, RANDOM),
  },
  {
    name: 'satclip-probe-spatial',
    title: 'R² of the probe, spatial hold-out',
    unit: '',
    better: 'higher',
    of: (rows) => explained(rows, SPATIAL),
  },
  {
    name: 'satclip-gap',
    title: 'Generalisation gap: R² random less spatial',
    unit: '',
    better: 'lower',
    of(rows) {
      const [random, spatial] = [explained(rows, RANDOM), explained(rows, SPATIAL)]
      return random === null || spatial === null ? null : random - spatial
    },
  },
]

/** @param textOf a place as the network reads it; `dim` numbers of its vector are the place's */
export function probeMeasure(
  places: readonly DescribedPlace[],
  textOf: (place: DescribedPlace) => string,
  dim: number,
): TaskMeasure {
  const points = places.map(({ point }) => point)
  const y = places.map(({ features }) => features[0]!)
  const folds = foldsOf(points)
  const fits = new Map<number, readonly boolean[]>()
  const outsideOf = (fold: number) => {
    if (!fits.has(fold)) {
      const held = points.filter((_, j) => folds.spatial[j] === fold)
      fits.set(
        fold,
        points.map((point) => !held.some((other) => isNear(point, other))),
      )
    }
    return fits.get(fold)!
  }
  return {
    name: 'satclip-probe',
    numbers: NUMBERS,
    async rows(ask) {
      const vectors = (await ask('embedding', places.map(textOf))).map((vector) => [
        ...vector.slice(0, dim),
      ])
      const random = predicted(vectors, y, folds.random, () => true)
      const spatial = predicted(vectors, y, folds.spatial, (i, fold) => outsideOf(fold)[i]!)
      return points.map((point, i) => ({
        unit: blockOf(point),
        numbers: [y[i]!, random[i]!, spatial[i]!],
      }))
    },
  }
}
