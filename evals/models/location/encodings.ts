/**
 * @file Encodings of a place on the sphere by longitude and latitude, each written once over any kind of features: float64 here,
 * rows of a graph in a network. Formulas of the location encoders in Rußwurm et al. (ICLR 2024, §3) and Mai et al. (2023).
 */
import { sphericalHarmonics } from './spherical-harmonics.ts'

/**
 * Arithmetic that an encoding is written in, over features: one number of a place, or several. A single one meets each of
 * several.
 */
export interface Features<T> {
  /** The same numbers at every place. */
  readonly of: (...values: number[]) => T
  readonly add: (a: T, b: T) => T
  readonly sub: (a: T, b: T) => T
  readonly mul: (a: T, b: T) => T
  readonly sin: (x: T) => T
  readonly cos: (x: T) => T
  readonly join: (parts: readonly T[]) => T
  /** Some of them, in this order. */
  readonly pick: (x: T, which: readonly number[]) => T
}

type Numbers = readonly number[]

const pairs =
  (f: (a: number, b: number) => number) =>
  (a: Numbers, b: Numbers): Numbers =>
    Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
      f(a[a.length === 1 ? 0 : i]!, b[b.length === 1 ? 0 : i]!),
    )

/** Of one place, in float64. */
const FLOAT64: Features<Numbers> = {
  of: (...values) => values,
  add: pairs((a, b) => a + b),
  sub: pairs((a, b) => a - b),
  mul: pairs((a, b) => a * b),
  sin: (x) => x.map(Math.sin),
  cos: (x) => x.map(Math.cos),
  join: (parts) => parts.flat(),
  pick: (x, which) => which.map((i) => x[i]!),
}

/** In degrees: longitude in [−180, 180], latitude in [−90, 90]. */
export interface Place<T> {
  readonly lon: T
  readonly lat: T
}

interface EncodingSize {
  /** Degrees 0 … L − 1 of the spherical harmonics: L² features. */
  readonly degrees: number
  /** Frequencies of the multi-scale encodings. */
  readonly scales: number
}

type Encoding = <T>(n: Features<T>, place: Place<T>, size: EncodingSize) => T

const radians = <T>(n: Features<T>, { lon, lat }: Place<T>): Place<T> => ({
  lon: n.mul(lon, n.of(Math.PI / 180)),
  lat: n.mul(lat, n.of(Math.PI / 180)),
})

/** Smallest and largest scale, degrees per radian (the training script of the published comparators). */
const [FINEST, COARSEST] = [1, 260]

/** 1/(r_min·(r_max/r_min)^(s/(S−1))), s = 0 … S−1. */
const frequencies = (scales: number): number[] =>
  Array.from(
    { length: scales },
    (_, s) => 1 / (FINEST * (COARSEST / FINEST) ** (s / Math.max(1, scales - 1))),
  )

/** What an encoding makes of each scale, by scale; the multi-scale encodings take degrees as they are. */
const multiScale =
  (parts: <T>(n: Features<T>, scaledPlace: Place<T>, place: Place<T>) => T[]): Encoding =>
  (n, place, { scales }) => {
    const factors = n.of(...frequencies(scales))
    const at = { lon: n.mul(place.lon, factors), lat: n.mul(place.lat, factors) }
    const all = parts(n, at, place)
    const byScale = Array.from(
      { length: scales * all.length },
      (_, i) => (i % all.length) * scales + Math.floor(i / all.length),
    )
    return n.pick(n.join(all), byScale)
  }

/** Unit vectors at 0°, 120° and 240°. */
const HEXAGON = [0, 1, 2].map((k) => [
  Math.cos((2 * k * Math.PI) / 3),
  Math.sin((2 * k * Math.PI) / 3),
])

const ENCODINGS = {
  'spherical-harmonics': (n, place, { degrees }) => sphericalHarmonics(n, place, degrees),
  direct(n, place) {
    const { lon, lat } = radians(n, place)
    return n.join([n.sub(lon, n.of(Math.PI)), n.sub(lat, n.of(Math.PI))])
  },
  cartesian3d(n, place) {
    const { lon, lat } = radians(n, place)
    const flat = n.cos(lat)
    return n.join([n.mul(n.cos(lon), flat), n.mul(n.sin(lon), flat), n.sin(lat)])
  },
  wrap(n, place) {
    const { lon, lat } = radians(n, place)
    return n.join([n.cos(lon), n.sin(lon), n.cos(lat), n.sin(lat)])
  },
  grid: multiScale((n, { lon, lat }) => [n.sin(lon), n.cos(lon), n.sin(lat), n.cos(lat)]),
  theory: multiScale((n, { lon, lat }) =>
    HEXAGON.flatMap(([x, y]) => {
      const along = n.add(n.mul(lon, n.of(x!)), n.mul(lat, n.of(y!)))
      return [n.sin(along), n.cos(along)]
    }),
  ),
  'sphere-c': multiScale((n, at) => sphereC(n, at)),
  'sphere-c-plus': multiScale((n, at) => [
    ...sphereC(n, at),
    n.cos(at.lat),
    n.sin(at.lon),
    n.cos(at.lon),
  ]),
  'sphere-m': multiScale((n, at, place) => sphereM(n, at, place)),
  'sphere-m-plus': multiScale((n, at, place) => [
    ...sphereM(n, at, place),
    n.cos(at.lat),
    n.sin(at.lon),
    n.cos(at.lon),
  ]),
} as const satisfies Readonly<Record<string, Encoding>>

export type EncodingName = keyof typeof ENCODINGS
export const ENCODING_NAMES = Object.keys(ENCODINGS) as EncodingName[]

const sphereC = <T>(n: Features<T>, { lon, lat }: Place<T>): T[] => [
  n.sin(lat),
  n.mul(n.cos(lat), n.cos(lon)),
  n.mul(n.cos(lat), n.sin(lon)),
]

const sphereM = <T>(n: Features<T>, at: Place<T>, place: Place<T>): T[] => [
  n.sin(at.lat),
  n.mul(n.cos(at.lat), n.cos(place.lon)),
  n.mul(n.cos(place.lat), n.cos(at.lon)),
  n.mul(n.cos(at.lat), n.sin(place.lon)),
  n.mul(n.cos(place.lat), n.sin(at.lon)),
]

export const encode = <T>(
  n: Features<T>,
  name: EncodingName,
  place: Place<T>,
  size: EncodingSize,
): T => ENCODINGS[name](n, place, size)

/** Features of one place, in float64. */
export const featuresAt = (
  name: EncodingName,
  { lon, lat }: Place<number>,
  size: EncodingSize,
): readonly number[] => encode(FLOAT64, name, { lon: [lon], lat: [lat] }, size)

/** Number of features. */
export const featuresOf = (name: EncodingName, size: EncodingSize): number =>
  featuresAt(name, { lon: 0, lat: 0 }, size).length
