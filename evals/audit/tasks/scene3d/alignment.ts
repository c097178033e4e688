/**
 * @file Robust alignment of point maps (Lu et al. 2024, §3): one similarity a view and one world point a pixel with the least
 * Σ w‖e‖ + μ·Σ(√w − √C)², e the distance between a view's point and the world's. For a given e the best weight has a closed
 * form; points and similarities follow from least squares re-weighted by w/‖e‖ (Weiszfeld 1937).
 */
import { symmetricEigen } from '../../../spectra/decomposition/symmetric-eigen.ts'

export type Vector = readonly [number, number, number]

/** x → scale·R·x + shift. */
export interface Similarity {
  readonly scale: number
  /** Row-major. */
  readonly rotation: readonly [Vector, Vector, Vector]
  readonly shift: Vector
}

const IDENTITY: Similarity = {
  scale: 1,
  rotation: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  shift: [0, 0, 0],
}

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const times = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by]
const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
export const distance = (a: Vector, b: Vector) => Math.sqrt(dot(minus(a, b), minus(a, b)))

export const moved = ({ scale, rotation, shift }: Similarity, x: Vector): Vector =>
  plus(times([dot(rotation[0], x), dot(rotation[1], x), dot(rotation[2], x)], scale), shift)

/** x of `moved(similarity, x)`. */
export function movedBack({ scale, rotation, shift }: Similarity, y: Vector): Vector {
  const x = times(minus(y, shift), 1 / scale)
  return plus(plus(times(rotation[0], x[0]), times(rotation[1], x[1])), times(rotation[2], x[2]))
}

/** argmin over w of w·e + μ(√w − √C)²: C/(1 + e/μ)². */
export const robustWeight = (confidence: number, error: number, μ: number): number =>
  confidence / (1 + error / μ) ** 2

/** No residual divides by less. */
const LEAST = 1e-9
const reweighted = (weight: number, error: number) => weight / Math.max(error, LEAST)

export function centroid(points: readonly Vector[], weights: readonly number[]): Vector {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return points.reduce<Vector>((mean, x, i) => plus(mean, times(x, weights[i]! / sum)), [0, 0, 0])
}

/** Rounds towards argmin of Σ w‖x_i − c‖, the geometric median, from a first guess. */
export function robustCentre(
  points: readonly Vector[],
  weights: readonly number[],
  start: Vector,
  rounds: number,
): Vector {
  let centre = start
  for (let round = 0; round < rounds; round++) {
    const pulls = points.map((x, i) => reweighted(weights[i]!, distance(x, centre)))
    centre = centroid(points, pulls)
  }
  return centre
}

/**
 * The similarity with the least Σ w‖T(from_i) − to_i‖²: rotation by the leading eigenvector of Horn's 4×4 matrix (1987, §4), which
 * is never a reflection; scale √(Σw‖to‖²/Σw‖from‖²) about the centroids, the same in both directions.
 */
export function procrustes(
  from: readonly Vector[],
  to: readonly Vector[],
  weights: readonly number[],
): Similarity {
  const [source, target] = [centroid(from, weights), centroid(to, weights)]
  const S = [0, 1, 2].map(() => [0, 0, 0])
  let [spreadFrom, spreadTo] = [0, 0]
  from.forEach((x, i) => {
    const [p, q] = [minus(x, source), minus(to[i]!, target)]
    spreadFrom += weights[i]! * dot(p, p)
    spreadTo += weights[i]! * dot(q, q)
    for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) S[a]![b]! += weights[i]! * p[a]! * q[b]!
  })
  const rotation = rotationOf(S)
  const scale = Math.sqrt(spreadTo / spreadFrom)
  const turned = moved({ scale, rotation, shift: [0, 0, 0] }, source)
  return { scale, rotation, shift: minus(target, turned) }
}

function rotationOf(S: readonly (readonly number[])[]): Similarity['rotation'] {
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = S as [number[], number[], number[]]
  // prettier-ignore
  const N = Float64Array.from([
    xx! + yy! + zz!, yz! - zy!, zx! - xz!, xy! - yx!,
    yz! - zy!, xx! - yy! - zz!, xy! + yx!, zx! + xz!,
    zx! - xz!, xy! + yx!, yy! - xx! - zz!, yz! + zy!,
    xy! - yx!, zx! + xz!, yz! + zy!, zz! - xx! - yy!,
  ])
  const { values, vectors } = symmetricEigen(N, 4)
  const first = values.indexOf(Math.max(...values))
  const [w, x, y, z] = vectors.subarray(4 * first, 4 * first + 4) as unknown as [
    number,
    number,
    number,
    number,
  ]
  return [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
  ]
}

/** What a network says of one view: a point and a confidence for each pixel, in the same order in every view. */
export interface View {
  readonly points: readonly Vector[]
  readonly confidences: readonly number[]
}

interface Aligned {
  /** From a view to the world, which is the first view. */
  readonly similarities: readonly Similarity[]
  readonly world: readonly Vector[]
  /** Recalibrated confidence of each view's pixels. */
  readonly weights: readonly (readonly number[])[]
}

const ROUNDS = 20
const CENTRING = 5
/** A view is set onto the first one in so many rounds. */
const SETTING = 40

interface Robustness {
  readonly μ: number
  /** False leaves the confidences as the network gave them. */
  readonly recalibrates: boolean
}

const weightsAt = (
  confidences: readonly number[],
  errors: readonly number[],
  { μ, recalibrates }: Robustness,
): readonly number[] =>
  recalibrates
    ? confidences.map((confidence, p) => robustWeight(confidence, errors[p]!, μ))
    : confidences

/** Rounds towards the similarity with the least Σ w‖T(from) − to‖. */
function set(
  { points, confidences }: View,
  to: readonly Vector[],
  start: Similarity,
  how: Robustness & { readonly rounds: number },
): Similarity {
  let found = start
  for (let round = 0; round < how.rounds; round++) {
    const errors = points.map((x, p) => distance(moved(found, x), to[p]!))
    const weights = weightsAt(confidences, errors, how)
    // A percent of μ: a few pixels that fit exactly would hold the view.
    const pulls = weights.map((weight, p) => reweighted(weight, Math.max(how.μ / 100, errors[p]!)))
    found = procrustes(points, to, pulls)
  }
  return found
}

export function align(views: readonly View[], how: Robustness): Aligned {
  const { points: first } = views[0]!
  const even = first.map(() => 1)
  let similarities = views.map((view, v) =>
    v === 0
      ? IDENTITY
      : set(view, first, procrustes(view.points, first, even), { ...how, rounds: SETTING }),
  )
  const inWorld = () => views.map(({ points }, v) => points.map((x) => moved(similarities[v]!, x)))
  const at = (points: readonly (readonly Vector[])[], p: number) => points.map((own) => own[p]!)
  // The first guess counts views alike: two that are over-confident would outvote four.
  const alike = views.map(() => 1)
  let weights: readonly (readonly number[])[] = views.map(({ confidences }) => confidences)
  let seen = inWorld()
  let world = first.map((_, p) => {
    const points = at(seen, p)
    return robustCentre(points, alike, centroid(points, alike), SETTING)
  })
  for (let round = 0; round < ROUNDS; round++) {
    const errors = seen.map((points) => points.map((x, p) => distance(x, world[p]!)))
    weights = views.map(({ confidences }, v) => weightsAt(confidences, errors[v]!, how))
    similarities = views.map((view, v) =>
      v === 0 ? IDENTITY : set(view, world, similarities[v]!, { ...how, rounds: 1 }),
    )
    seen = inWorld()
    world = world.map((centre, p) => {
      const own = weights.map((each) => each[p]!)
      return robustCentre(at(seen, p), own, centre, CENTRING)
    })
  }
  return { similarities, world, weights }
}
