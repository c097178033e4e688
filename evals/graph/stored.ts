/**
 * @file Frozen weights stored in a smaller dtype than the computation's: int8 with one scale per row, W = scale·q, or float16.
 * Each node that reads such a weight gets its own widened copy, made just before the node and freed after it, so forward and
 * backward use the same W and keep no copy. A gather widens only the gathered rows.
 *
 * ONNX Runtime schedules a node when its inputs are ready, so it would widen every weight at the start. Each copy is therefore
 * made to depend on the other factor of its product, through a zero computed from that value's shape.
 */
import type { AddNode, Dialect } from './op.ts'
import type { Dtype } from './value.ts'

export type SmallStorage = 'int8' | 'float16'
/** `file:…` is widened when the session opens; `product:int8` is multiplied in int8 in the forward pass (`ops/int8-product.ts`). */
export type WeightStorage = SmallStorage | 'product:int8' | 'file:float16' | 'file:bfloat16'

export const storedDtype = (storage: WeightStorage) => storage.replace(/^\w+:/u, '') as Dtype

/** Name of the scales, float32 `[rows]`, of an int8 weight `[rows, columns]`. */
export const scaleName = (weight: string): string => `${weight}:scale`

interface Reading {
  readonly add: AddNode
  readonly float: Dialect['float']
  /** int64 `[1]`, more than the rows of any weight. */
  readonly end: () => string
}

/** A zero, int64 `[1]`, that depends on `value`. */
function zeroAfter({ add }: Reading, value: string): string {
  const [size] = add('Shape', [value], { start: 0, end: 1 })
  return add('Sub', [size!, size!])[0]!
}

type Stored = readonly [name: string, storage: WeightStorage]

function widened(reading: Reading, [name, storage]: Stored, after: string | undefined): string {
  const { add, float } = reading
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (storage.startsWith('file:')) return cast(name)
  const zero = after === undefined ? undefined : zeroAfter(reading, after)
  if (storage === 'float16') {
    if (zero === undefined) return cast(name)
    // All rows, from row 0.
    const [late] = add('Slice', [name, zero, reading.end(), zero])
    return cast(late!)
  }
  const scales = scaleName(name)
  const late = zero && add('Cast', [zero], { to: { type: 'float32' } })[0]!
  const given = late === undefined ? scales : add('Add', [scales, late])[0]!
  const [wide] = add('DequantizeLinear', [name, given], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** The gathered rows of a stored table, widened. */
function gathered({ add, float }: Reading, [name, storage]: Stored, rows: string): string {
  const take = (x: string) => add('Gather', [x, rows], { axis: 0 })[0]!
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (storedDtype(storage) !== 'int8') return cast(take(name))
  const [wide] = add('DequantizeLinear', [take(name), take(scaleName(name))], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** Wraps `addNode` for nodes that may read stored weights by name. */
export const readingStored =
  (addNode: AddNode, reading: Reading, stored: ReadonlyMap<string, WeightStorage>): AddNode =>
  (opType, inputs, attributes = {}, outputs = 1) => {
    const [table, rows] = inputs
    const storage = stored.get(table!)
    if (storage && opType === 'Gather' && (attributes.axis ?? 0) === 0)
      return [gathered(reading, [table!, storage], rows!)]
    const other = inputs.find((name) => name !== '' && !stored.has(name))
    const read = inputs.map((name) => {
      const own = stored.get(name)
      return own ? widened(reading, [name, own], other) : name
    })
    return addNode(opType, read, attributes, outputs)
  }
