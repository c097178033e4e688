/**
 * @file Encodings of a place on the sphere by longitude and latitude, each written once over any kind of number: float64 here,
 * columns of a graph in a network. Formulas of the location encoders in Rußwurm et al. (ICLR 2024, §3) and Mai et al. (2023).
 */
import { sphericalHarmonics } from './spherical-harmonics.ts'

/** Arithmetic that an encoding is written in. */
export interface Numbers<T> {
  readonly of: (value: number) => T
  readonly add: (a: T, b: T) => T
  readonly sub: (a: T, b: T) => T
  readonly mul: (a: T, b: T) => T
  readonly sin: (x: T) => T
  readonly cos: (x: T) => T
}

export const FLOAT64: Numbers<number> = {
  of: (value) => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  sin: Math.sin,
  cos: Math.cos,
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

/** Place → features, each a number. */
type Encoding = <T>(n: Numbers<T>, place: Place<T>, size: EncodingSize) => T[]

const scaled = <T>(n: Numbers<T>, x: T, factor: number): T => n.mul(x, n.of(factor))
const radians = <T>(n: Numbers<T>, { lon, lat }: Place<T>): Place<T> => ({
  lon: scaled(n, lon, Math.PI / 180),
  lat: scaled(n, lat, Math.PI / 180),
})

/** Smallest and largest scale, degrees per radian (the training script of the published comparators). */
const [FINEST, COARSEST] = [1, 260]

/** 1/(r_min·(r_max/r_min)^(s/(S−1))), s = 0 … S−1. */
const frequencies = (scales: number): number[] =>
  Array.from(
    { length: scales },
    (_, s) => 1 / (FINEST * (COARSEST / FINEST) ** (s / Math.max(1, scales - 1))),
  )

/** Features of each scale; the multi-scale encodings take degrees as they are. */
const multiScale =
  (one: <T>(n: Numbers<T>, scaledPlace: Place<T>, place: Place<T>) => T[]): Encoding =>
  (n, place, { scales }) =>
    frequencies(scales).flatMap((f) =>
      one(n, { lon: scaled(n, place.lon, f), lat: scaled(n, place.lat, f) }, place),
    )

/** Unit vectors at 0°, 120° and 240°. */
const HEXAGON = [0, 1, 2].map((k) => [
  Math.cos((2 * k * Math.PI) / 3),
  Math.sin((2 * k * Math.PI) / 3),
])

const ENCODINGS = {
  'spherical-harmonics': (n, place, { degrees }) => sphericalHarmonics(n, place, degrees),
  direct(n, place) {
    const { lon, lat } = radians(n, place)
    return [n.sub(lon, n.of(Math.PI)), n.sub(lat, n.of(Math.PI))]
  },
  cartesian3d(n, place) {
    const { lon, lat } = radians(n, place)
    const flat = n.cos(lat)
    return [n.mul(n.cos(lon), flat), n.mul(n.sin(lon), flat), n.sin(lat)]
  },
  wrap(n, place) {
    const { lon, lat } = radians(n, place)
    return [n.cos(lon), n.sin(lon), n.cos(lat), n.sin(lat)]
  },
  grid: multiScale((n, { lon, lat }) => [n.sin(lon), n.cos(lon), n.sin(lat), n.cos(lat)]),
  theory: multiScale((n, { lon, lat }) =>
    HEXAGON.flatMap(([x, y]) => {
      const along = n.add(scaled(n, lon, x!), scaled(n, lat, y!))
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

const sphereC = <T>(n: Numbers<T>, { lon, lat }: Place<T>): T[] => [
  n.sin(lat),
  n.mul(n.cos(lat), n.cos(lon)),
  n.mul(n.cos(lat), n.sin(lon)),
]

const sphereM = <T>(n: Numbers<T>, at: Place<T>, place: Place<T>): T[] => [
  n.sin(at.lat),
  n.mul(n.cos(at.lat), n.cos(place.lon)),
  n.mul(n.cos(place.lat), n.cos(at.lon)),
  n.mul(n.cos(at.lat), n.sin(place.lon)),
  n.mul(n.cos(place.lat), n.sin(at.lon)),
]

/** Number of features. */
export const featuresOf = (name: EncodingName, size: EncodingSize): number =>
  ENCODINGS[name](FLOAT64, { lon: 0, lat: 0 }, size).length

export const encode = <T>(
  n: Numbers<T>,
  name: EncodingName,
  place: Place<T>,
  size: EncodingSize,
): T[] => ENCODINGS[name](n, place, size)
