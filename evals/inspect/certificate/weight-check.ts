/**
 * @file How far each weight of an artefact is from what was measured, beside what its storage type may round away. Logits of a
 * few hundred tokens hardly show a small fault, and in four bits not at all; the numbers themselves show it whatever is asked.
 */
import type { Model } from '../../models/registry.ts'
import type { StorageType } from '../../models/weights/storage.ts'
import { roundingOf } from './limits.ts'

export type Read = (name: string) => Float32Array
type Maybe = (name: string) => Float32Array | undefined

export interface Deviation {
  readonly name: string
  readonly storage: StorageType
  /** Root mean square of the deviation over that of the weight. */
  readonly share: number
  /** The same of the worst row, over the larger of the row's own size and the weight's. */
  readonly row: number
  /** c − 1 where c times what was measured comes nearest. */
  readonly scale: number
}

/** How much of the measured change is in the artefact. */
export interface Kept {
  /** 1 where all of it is, 0 where it is the base. */
  readonly factor: number
  /** Of the factor, from rounding. */
  readonly error: number
  /** Share of the whole deviation that another factor explains. */
  readonly explained: number
}

export interface WeightsFound {
  readonly compared: number
  /** Beside what their storage may round away; empty where all are as measured. */
  readonly wrong: readonly Deviation[]
  /** The farthest from what its storage may round away. */
  readonly worst: Deviation
  /** Null where the base itself was measured. */
  readonly kept: Kept | null
}

interface Compared {
  /** What was measured, with the fine-tune's own configuration. */
  readonly model: Model
  /** Undefined for a weight that the base has not. */
  readonly base: Maybe
  readonly reference: Read
  /** Undefined for a weight that the artefact has not. */
  readonly found: Maybe
  readonly storageOf: (name: string) => StorageType
  /** A head in the artefact that is the embedding in what was measured. */
  readonly head: { readonly name: string; readonly embedding: string } | null
}

export function compareWeights({ model, head, ...compared }: Compared): WeightsFound {
  const deviations: Deviation[] = []
  const sums = { change: 0, product: 0, off: 0, noise: 0 }
  const { base, reference, found, storageOf } = compared
  const compareWith = (name: string, own: string, columns: number) => {
    const measured = reference(name)
    const given = found(own)
    deviations.push(
      deviationOf({ name: own, storage: storageOf(own), columns, measured, found: given }),
    )
    const before = own === name ? base(name) : undefined
    if (before && given) addChange(sums, before, measured, given)
  }
  for (const { name, shape } of model.weights.values()) {
    compareWith(name, name, shape.at(-1)!)
    if (head?.embedding === name) compareWith(name, head.name, shape.at(-1)!)
  }
  const worst = deviations.reduce((a, b) => (excess(b) > excess(a) ? b : a))
  return {
    compared: deviations.length,
    wrong: deviations.filter((each) => excess(each) > 1),
    worst,
    kept: sums.change > 0 ? keptOf(sums) : null,
  }
}

interface Sums {
  change: number
  product: number
  off: number
  noise: number
}

const keptOf = ({ change, product, off, noise }: Sums): Kept => ({
  factor: 1 + product / change,
  error: Math.sqrt(noise) / change,
  explained: off === 0 ? 0 : product ** 2 / change / off,
})

/** How many times what its storage may round away; infinite where a number is none. */
function excess({ storage, share, row, scale }: Deviation): number {
  const most = roundingOf(storage)
  const times = Math.max(share / most.share, row / most.row, Math.abs(scale) / most.scale)
  return Number.isNaN(times) ? Infinity : times
}

interface Pair {
  readonly name: string
  readonly storage: StorageType
  /** Numbers of a row; all of a vector. */
  readonly columns: number
  readonly measured: Float32Array
  readonly found: Float32Array | undefined
}

/** NaN where a number is none. */
function deviationOf({ name, storage, columns, measured, found }: Pair): Deviation {
  if (!found) return { name, storage, share: Infinity, row: Infinity, scale: Infinity }
  const size = measured.reduce((sum, x) => sum + x * x, 0)
  const usual = (size * columns) / measured.length
  let [off, product, row] = [0, 0, 0]
  for (let start = 0; start < measured.length; start += columns) {
    let [own, ownSize] = [0, 0]
    for (let i = start; i < start + columns; i++) {
      const error = found[i]! - measured[i]!
      own += error * error
      ownSize += measured[i]! * measured[i]!
      product += error * measured[i]!
    }
    off += own
    // Math.max keeps NaN.
    row = Math.max(row, ratio(own, Math.max(ownSize, usual)))
  }
  return { name, storage, share: ratio(off, size), row, scale: off === 0 ? 0 : product / size }
}

/** Infinite for a deviation from zeros. */
const ratio = (off: number, size: number): number => (off === 0 ? 0 : Math.sqrt(off / size))

/** Sums of squares of the measured change, of its products with the deviation, and the variance of the latter from rounding alone. */
function addChange(
  sums: Sums,
  base: Float32Array,
  measured: Float32Array,
  found: Float32Array,
): void {
  let [change, product, off] = [0, 0, 0]
  for (let i = 0; i < base.length; i++) {
    const wanted = measured[i]! - base[i]!
    const error = found[i]! - measured[i]!
    change += wanted * wanted
    product += wanted * error
    off += error * error
  }
  sums.change += change
  sums.product += product
  sums.off += off
  sums.noise += (off / base.length) * change
}
