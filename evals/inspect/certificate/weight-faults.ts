/**
 * @file Locates faulty weights of an artefact: by bisection the first layer whose weights exceed the limits, and the kind of
 * fault that its weights suggest.
 */
import type { Model } from '../../models/registry.ts'
import type { Fault } from './text-faults.ts'

export type Read = (name: string) => Float32Array

/** In the order of the forward pass: weights before the blocks, each block, weights after them. */
interface LayerGroup {
  readonly title: string
  readonly names: readonly string[]
}

export function layerGroups({ weights }: Model): LayerGroup[] {
  const places = Map.groupBy(weights.values(), ({ name, kind }) => {
    const layer = /\.(\d+)\./u.exec(name)?.[1]
    if (layer !== undefined) return Number(layer)
    return kind === 'embedding' ? -1 : Infinity
  })
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([place, specs]) => ({ title: titleOf(place), names: specs.map(({ name }) => name) }))
}

function titleOf(place: number): string {
  if (place === -1) return 'embedding'
  return place === Infinity ? 'final norm and head' : `layer ${place}`
}

/**
 * The first group such that the artefact's weights up to it, with the measured weights after it, exceed the limits;
 * undefined if all of the artefact's weights do not. Takes log₂(groups) measurements.
 */
export async function firstFailing(
  groups: readonly LayerGroup[],
  failsWith: (swapped: ReadonlySet<string>) => Promise<boolean>,
): Promise<LayerGroup | undefined> {
  const upTo = (count: number) => new Set(groups.slice(0, count).flatMap(({ names }) => names))
  if (!(await failsWith(upTo(groups.length)))) return undefined
  let [holds, fails] = [0, groups.length]
  while (fails - holds > 1) {
    const middle = (holds + fails) >> 1
    if (await failsWith(upTo(middle))) fails = middle
    else holds = middle
  }
  return groups[fails - 1]
}

interface Sums {
  /** Sums of squares of the measured change and of the deviation, and of their products. */
  readonly change: number
  readonly off: number
  readonly product: number
}

function sumsOf(base: Float32Array, reference: Float32Array, found: Float32Array): Sums {
  let [change, off, product] = [0, 0, 0]
  for (let i = 0; i < base.length; i++) {
    const wanted = reference[i]! - base[i]!
    const error = found[i]! - reference[i]!
    change += wanted * wanted
    off += error * error
    product += wanted * error
  }
  return { change, off, product }
}

/** Smallest share of the deviation that a factor on the change must explain. */
const EXPLAINED = 0.9

/**
 * found − reference = (c − 1)·(reference − base) + rest. If a factor c explains the deviation, the merge used another scale
 * (0: no merge). Otherwise the weight with the largest deviation is named, unless rounding of the storage type explains it
 * (`rounding`, relative to a weight's size).
 */
export function weightFault(
  names: readonly string[],
  { base, reference, found }: { base: Read; reference: Read; found: Read },
  rounding: number,
): Fault {
  const sums = names.map((name) => ({
    name,
    ...sumsOf(base(name), reference(name), found(name)),
    size: reference(name).reduce((sum, x) => sum + x * x, 0),
  }))
  return scaleFault(sums) ?? worstFault(sums, rounding)
}

interface NamedSums extends Sums {
  readonly name: string
  /** Sum of squares of the weight. */
  readonly size: number
}

function scaleFault(sums: readonly NamedSums[]): Fault | undefined {
  const total = (key: keyof Sums) => sums.reduce((sum, each) => sum + each[key], 0)
  const [change, off, product] = [total('change'), total('off'), total('product')]
  if (!(change > 0 && product ** 2 / change >= EXPLAINED * off)) return undefined
  const factor = 1 + product / change
  if (Math.abs(factor) < 0.02) {
    const what = 'the weights are those of the base: the adapter is not in them'
    return { kind: 'not-merged', what }
  }
  const times = Number(factor.toPrecision(3))
  const what = `the change is ${times} times what was measured: another alpha or rank`
  return { kind: 'scale', what }
}

function worstFault(sums: readonly NamedSums[], rounding: number): Fault {
  const worst = sums.reduce((a, b) => (shareOf(b) > shareOf(a) ? b : a))
  const share = shareOf(worst)
  const most = `${Number((100 * share).toPrecision(3))} % of its size`
  if (share <= rounding) {
    const what = `no weight is off by more than ${most}: the storage is too coarse`
    return { kind: 'rounding', what }
  }
  const others = sums.filter((each) => shareOf(each) > share / 10).length - 1
  const company = others === 0 ? 'and no other nearly so' : `and ${others} others nearly so`
  return { kind: 'merge', what: `${worst.name} is off by ${most}, ${company}` }
}

/** Root mean square of the deviation over that of the weight; infinite for a deviation from zeros. */
const shareOf = ({ off, size }: { off: number; size: number }): number =>
  off === 0 ? 0 : Math.sqrt(off / size)
