/**
 * @file Frozen weights stored in a smaller dtype than the computation's: int8 with one scale per row, W = scale·q, float16,
 * NF4 (`nf4.ts`) or ggml's blocks (`blocks.ts`).
 * Each node that reads such a weight gets its own widened copy, made just before the node and freed after it, so forward and
 * backward use the same W and keep no copy. A gather widens only the gathered rows.
 *
 * ONNX Runtime schedules a node when its inputs are ready, so it would widen every weight at the start. Each copy is therefore
 * made to depend on the other factor of its product, through a zero computed from that value's shape.
 */
import { blockInput, blockOf, blockRows, blockValues, type BlockName } from './blocks.ts'
import { nf4Inputs, nf4Values, unmoved } from './nf4.ts'
import type { AddNode, Dialect, RuleGraph } from '../op.ts'
import type { Dtype, Value } from '../value.ts'

export type SmallStorage = 'int8' | 'float16' | 'nf4' | BlockName
/** `file:…` is widened when the session opens; `product:…` is multiplied in int8 in the forward pass (`ops/int8-product.ts`, `blocks.ts`). */
export type WeightStorage =
  SmallStorage | 'product:int8' | `product:${BlockName}` | 'file:float16' | 'file:bfloat16'

const storedDtype = (storage: WeightStorage) => storage.replace(/^\w+:/u, '') as Dtype

/** Name of the scales of a stored weight: of int8 `[rows, columns]` float32 `[rows]`. */
export const scaleName = (weight: string): string => `${weight}:scale`

/** A stored weight as a graph declares it. */
export interface StoredWeight {
  readonly storage: WeightStorage
  readonly shape: readonly number[]
}
export type StoredWeights = ReadonlyMap<string, StoredWeight>

/** The inputs of a graph that together are one stored weight. */
export function storedInputs(name: string, { storage, shape }: StoredWeight): Value[] {
  if (storage === 'nf4') return nf4Inputs(name, shape)
  const block = blockOf(storage)
  if (block) return [blockInput(name, block, shape as [number, number])]
  const dtype = storedDtype(storage)
  const own = { name, dtype, shape }
  return dtype === 'int8'
    ? [own, { name: scaleName(name), dtype: 'float32', shape: [shape[0]!] }]
    : [own]
}

interface Reading {
  readonly add: AddNode
  /** Adds an operator of the addon's. */
  readonly own: AddNode
  readonly float: Dialect['float']
  readonly constant: RuleGraph['constant']
}

/** A zero, int64 `[1]`, that depends on `value`. */
function zeroAfter({ add }: Reading, value: string): string {
  const [size] = add('Shape', [value], { start: 0, end: 1 })
  return add('Sub', [size!, size!])[0]!
}

type Stored = readonly [name: string, weight: StoredWeight]

function widened(reading: Reading, [name, own]: Stored, after: string | undefined): string {
  const { storage } = own
  const { add, float } = reading
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (storage.startsWith('file:')) return cast(name)
  const block = blockOf(storage)
  if (block) {
    const before = after ?? reading.constant([0], 'float32', [1]).name
    return blockValues(name, before, { ...reading, storage: block, shape: own.shape })
  }
  const zero = after === undefined ? undefined : zeroAfter(reading, after)
  if (storage === 'nf4') {
    const wide = nf4Values(reading, [name, own.shape], zero)
    return float === 'float32' ? wide : cast(wide)
  }
  if (storage === 'float16') {
    return cast(zero === undefined ? name : unmoved(reading, name, own.shape, zero))
  }
  const scales = scaleName(name)
  const late = zero && add('Cast', [zero], { to: { type: 'float32' } })[0]!
  const given = late === undefined ? scales : add('Add', [scales, late])[0]!
  const [wide] = add('DequantizeLinear', [name, given], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** The gathered rows of a stored table, widened. */
function gathered(reading: Reading, [name, { storage, shape }]: Stored, rows: string): string {
  const { add, float } = reading
  const take = (x: string) => add('Gather', [x, rows], { axis: 0 })[0]!
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  const block = blockOf(storage)
  if (block) {
    const [whole] = add('Cast', [rows], { to: { type: 'int32' } })
    return blockRows(name, whole!, { ...reading, storage: block, shape })
  }
  if (storedDtype(storage) !== 'int8') return cast(take(name))
  const [wide] = add('DequantizeLinear', [take(name), take(scaleName(name))], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** Wraps `addNode` for nodes that may read stored weights by name. @param scalars names of values without a shape to read a zero from */
export const readingStored =
  (
    addNode: AddNode,
    reading: Reading,
    stored: StoredWeights,
    scalars: ReadonlySet<string>,
  ): AddNode =>
  (opType, inputs, attributes = {}, outputs = 1) => {
    const [table, rows] = inputs
    const weight = stored.get(table!)
    const isTable = weight && weight.storage !== 'nf4'
    if (isTable && opType === 'Gather' && (attributes.axis ?? 0) === 0)
      return [gathered(reading, [table!, weight], rows!)]
    const other = inputs.find((name) => name !== '' && !stored.has(name) && !scalars.has(name))
    const read = inputs.map((name) => {
      const own = stored.get(name)
      return own ? widened(reading, [name, own], other) : name
    })
    return addNode(opType, read, attributes, outputs)
  }
