/** @file Final weights of a fine-tune: the base with an adapter merged in, or with weights replaced. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { PeftFolder } from '../formats/peft-folder.ts'
import type { Model } from '../registry.ts'
import { asComputed } from '../weight-list.ts'
import { biasChangesOf, changesOf, type Change, type LowRank } from './adapter-changes.ts'
import { numbersIn } from './small-weights.ts'
import { elementsOf } from './stored-weights.ts'

export interface TunedWeights {
  /** In the base's shape, float32. */
  read(name: string): Float32Array
  /** ΔW of `name`, if an adapter gives it. */
  change(name: string): LowRank | undefined
  /** Weights that differ from the base’s; absent where all may. */
  readonly changed?: ReadonlySet<string>
  /** All changes by weight name, if the whole fine-tune is s·B·A on some layers. */
  readonly lowRank?: ReadonlyMap<string, LowRank>
}

type Weights = ReadonlyMap<string, Float32Array>

interface AdaptedBase {
  /** Weights that the base lacks and the adapter may bring. */
  readonly brings?: (name: string) => boolean
  /** Without one, weights are as the base's file has them, and experts are no stack. */
  readonly model?: Model
}

/**
 * W′ = W + s·B·A, summed in float64; for DoRA each row (of an embedding, each column) is scaled to its magnitude,
 * m_i·W′_i/‖W′_i‖. Weights saved whole replace the base's before that. Throws for an adapted layer that the base lacks, unless
 * `brings` allows it.
 */
export function adaptedWeights(
  base: Weights,
  folder: PeftFolder,
  path: string,
  { brings = () => false, model }: AdaptedBase = {},
): TunedWeights {
  const sizeOf = (name: string) => numbersIn(base, name)
  const { saved, changes, biases, changed } = fittingChanges(sizeOf, folder, path, {
    brings,
    model,
  })
  const isScaled = (name: string) => changes.get(name)?.magnitude !== undefined
  const isLowRank = saved.size + biases.size === 0 && ![...changes.keys()].some(isScaled)
  return {
    ...(isLowRank && { lowRank: changes }),
    changed,
    // Scaling rows gives a change of full rank, and so does a weight that is replaced.
    change: (name) => (isScaled(name) || saved.has(name) ? undefined : changes.get(name)),
    read(name) {
      const start = saved.get(name) ?? base.get(name)!
      const [change, more] = [changes.get(name), biases.get(name)]
      if (change) return addLowRank(start, change)
      return more ? start.map((b, i) => b + more[i]!) : start
    },
  }
}

/**
 * The weights that an adapter changes. Throws `adapter.other-base` where the model does not take it; a head that it may bring
 * along is taken.
 */
export function requireFitting(
  model: Model,
  folder: PeftFolder,
  path: string,
): ReadonlySet<string> {
  const sizeOf = (name: string) => {
    const spec = model.weights.get(name)
    return spec && elementsOf(spec.shape)
  }
  return fittingChanges(sizeOf, folder, path, { brings: bringsOf(model), model }).changed
}

/** Whether a weight is of a head that an adapter may bring along. */
export const bringsOf =
  ({ architecture, config }: Model) =>
  (name: string): boolean =>
    architecture.classifier?.owns(name, config) ?? false

/** What an adapter changes; throws `adapter.other-base` where a base whose weights have these sizes does not take it. */
function fittingChanges(
  sizeOf: (name: string) => number | undefined,
  folder: PeftFolder,
  path: string,
  { brings = () => false, model }: AdaptedBase = {},
) {
  const saved = savedIn(folder, model)
  const changes = changesOf(folder, path, model?.architecture.experts?.(model.config))
  const biases = biasChangesOf(folder)
  const requireSize = (name: string, size: number, isAllowed = false) => {
    const found = sizeOf(name)
    if (found === undefined ? isAllowed : found === size) return
    const module = name.replace(/\.weight$/u, '')
    throw new TouchstoneError('adapter.other-base', { path, module })
  }
  for (const [name, { length }] of saved) requireSize(name, length, brings(name))
  for (const [name, { length }] of biases) requireSize(name, length)
  for (const [name, { A, B, rank }] of changes)
    requireSize(name, (A.length / rank) * (B.length / rank))
  const changed = new Set([...saved.keys(), ...changes.keys(), ...biases.keys()])
  return { saved, changes, biases, changed }
}

/** In the layout that is computed with. */
const savedIn = ({ saved = new Map() }: PeftFolder, model: Model | undefined) =>
  new Map(
    [...saved].map(([name, { data }]) => {
      const spec = model?.weights.get(name)
      return [name, spec && spec.shape.length === 2 ? asComputed(data, spec) : data]
    }),
  )

/** The base with trained weights in place of its own. */
export const replacedWeights = (
  base: Weights,
  trained: ReadonlyMap<string, { data: Float32Array }>,
): TunedWeights => ({
  change: () => undefined,
  changed: new Set(trained.keys()),
  read: (name) => trained.get(name)?.data ?? base.get(name)!,
})

function addLowRank(W: Float32Array, { A, B, rank, scale, magnitude }: Change): Float32Array {
  const columns = A.length / rank
  const rows = B.length / rank
  const sum = new Float32Array(W.length)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    row.set(W.subarray(i * columns, (i + 1) * columns))
    for (let r = 0; r < rank; r++) {
      const b = B[i * rank + r]! * scale
      if (b === 0) continue
      for (let j = 0; j < columns; j++) row[j]! += b * A[r * columns + j]!
    }
    if (magnitude?.over === 'rows') toLength(row, magnitude.data[i]!)
    sum.set(row, i * columns)
  }
  if (magnitude?.over === 'columns') columnsToLength(sum, magnitude.data)
  return sum
}

function columnsToLength(W: Float32Array, lengths: Float32Array): void {
  const squares = new Float64Array(lengths.length)
  W.forEach((x, at) => (squares[at % lengths.length]! += x * x))
  const factors = squares.map((square, j) => (square === 0 ? 0 : lengths[j]! / Math.sqrt(square)))
  W.forEach((x, at) => (W[at] = x * factors[at % lengths.length]!))
}

function toLength(row: Float64Array, length: number): void {
  const norm = Math.sqrt(row.reduce((total, x) => total + x * x, 0))
  const factor = norm === 0 ? 0 : length / norm
  for (let j = 0; j < row.length; j++) row[j]! *= factor
}
