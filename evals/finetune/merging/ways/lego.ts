/**
 * @file LoRA-LEGO (Zhao et al. 2025): the rank-one units (a_j, b_j) of all adapters of a layer, √(w s) absorbed into both, are
 * clustered by k-means on [a; b]; the centroids are the merged adapter’s units. Units are canonical: ‖a‖ = ‖b‖, and the entry
 * of a with the largest magnitude is positive, since (a, b), (−a, −b) and (ta, b/t) are one unit (our choice; docs/methods/merging.md).
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { RandomStream } from '../../../statistics/random.ts'
import { transposed } from '../../../spectra/decomposition/matrix.ts'
import { largestRank, stacked, sumOfRanks } from '../low-rank.ts'
import type { Layer, Merged, Merging, MergeSettings } from '../merging.ts'

const ROUNDS = 50

type Vector = Float64Array

function merge(layer: Layer, { rank, outputReweighting, random }: MergeSettings): Merged {
  const units = unitsOf(layer)
  const k = rank ?? largestRank(layer)
  if (k > units.length) {
    throw new TouchstoneError('merge.too-few-units', {
      layer: layer.name,
      rank: k,
      units: units.length,
    })
  }
  const members = clustered(units, k, random('lego'))
  const mean = sumOfRanks(layer) / layer.parts.length
  const factor = outputReweighting ? Math.pow(mean / k, 1 / 4) : 1
  const centroids = members.map((group) => reweighted(group).map((x) => x * factor))
  const { columns, rows } = layer
  const A = new Float64Array(k * columns)
  const Bt = new Float64Array(k * rows)
  centroids.forEach((unit, j) => {
    A.set(unit.subarray(0, columns), j * columns)
    Bt.set(unit.subarray(columns), j * rows)
  })
  return { rank: k, A, B: transposed(Bt, k, rows), lost: null }
}

/** [a; b] of every unit that is not zero; a zero one stays so. */
function unitsOf(layer: Layer): Vector[] {
  const { columns, rows } = layer
  const root = (part: { weight: number; scale: number }) => Math.sqrt(part.weight * part.scale)
  const [A, B] = [stacked(layer, 'A', root), stacked(layer, 'B', root)]
  return Array.from({ length: sumOfRanks(layer) }, (_, j) =>
    canonical(A.slice(j * columns, (j + 1) * columns), B.slice(j * rows, (j + 1) * rows)),
  )
}

function canonical(a: Vector, b: Vector): Vector {
  const [p, q] = [length(a), length(b)]
  const unit = new Float64Array(a.length + b.length)
  if (p === 0 || q === 0) return unit
  const top = a.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0)
  const balance = Math.sqrt(p * q) * Math.sign(top)
  unit.set(a.map((x) => (x * balance) / p))
  unit.set(
    b.map((x) => (x * balance) / q),
    a.length,
  )
  return unit
}

const length = (x: Vector) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))

function distance(x: Vector, y: Vector): number {
  let sum = 0
  for (let t = 0; t < x.length; t++) sum += (x[t]! - y[t]!) ** 2
  return sum
}

function meanOf(group: readonly Vector[]): Vector {
  const out = new Float64Array(group[0]!.length)
  for (const unit of group) for (let t = 0; t < out.length; t++) out[t]! += unit[t]! / group.length
  return out
}

/** The centroid at the mean length of its members: averaging alone shortens it. */
function reweighted(group: readonly Vector[]): Vector {
  const centroid = meanOf(group)
  const wanted = group.reduce((sum, unit) => sum + length(unit), 0) / group.length
  const found = length(centroid)
  return found === 0 ? centroid : centroid.map((x) => (x * wanted) / found)
}

/** k-means from k-means++ starts, at most 50 rounds; an empty cluster takes the unit that is farthest from its own centroid. */
function clustered(units: readonly Vector[], k: number, random: RandomStream): Vector[][] {
  let centroids = starts(units, k, random)
  let before: readonly number[] = []
  for (let round = 0; ; round++) {
    const nearest = filled(units, centroids)
    const groups = Array.from({ length: k }, (_, j) => units.filter((__, i) => nearest[i] === j))
    if (round === ROUNDS || nearest.every((j, i) => j === before[i])) return groups
    centroids = groups.map(meanOf)
    before = nearest
  }
}

/** k-means++ (Arthur and Vassilvitskii 2007): each further start with probability ∝ its squared distance to the nearest one. */
function starts(units: readonly Vector[], k: number, { integer, uniform }: RandomStream): Vector[] {
  const chosen = [integer(units.length)]
  while (chosen.length < k) {
    const squares = units.map((unit, i) =>
      chosen.includes(i) ? 0 : Math.min(...chosen.map((j) => distance(unit, units[j]!))),
    )
    const total = squares.reduce((sum, x) => sum + x, 0)
    let left = uniform() * total
    const hit = squares.findIndex((x) => x > 0 && (left -= x) <= 0)
    chosen.push(hit >= 0 ? hit : units.findIndex((_, i) => !chosen.includes(i)))
  }
  return chosen.map((i) => units[i]!)
}

function filled(units: readonly Vector[], centroids: readonly Vector[]): number[] {
  const squares = units.map((unit) => centroids.map((centroid) => distance(unit, centroid)))
  const nearest = squares.map((row) => row.indexOf(Math.min(...row)))
  for (let j = 0; j < centroids.length; j++) {
    if (nearest.includes(j)) continue
    const shared = (i: number) => nearest.filter((other) => other === nearest[i]).length > 1
    const candidates = units.map((_, i) => i).filter(shared)
    const farthest = candidates.reduce((best, i) =>
      squares[i]![nearest[i]!]! > squares[best]![nearest[best]!]! ? i : best,
    )
    nearest[farthest] = j
  }
  return nearest
}

export const lego: Merging = {
  name: 'lego',
  summary: 'rank-one units of all adapters clustered by k-means; the centroids are the result',
  source: 'Zhao et al. 2025 (LoRA-LEGO), sections 3.2 and 3.3; reweighting not verified there',
  defaultWeights: 'sum',
  reads: ['rank', 'outputReweighting'],
  merge,
  peft: null,
}
