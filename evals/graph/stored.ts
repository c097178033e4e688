/**
 * @file Frozen weights that are kept smaller than they are computed with: int8 with a scale a row, W = scale·q, or float16.
 * Every node that reads one gets a copy of its own in the dialect's float, made just before it and let go after, so forward and
 * backward see the same W and neither holds it. Of a table whose rows are gathered only those rows are made.
 *
 * ONNX Runtime orders nodes by what they wait for, and a weight waits for nothing: it would make every copy before the first is
 * needed. So each copy is made to wait for what it is multiplied with, by a zero that is counted off that value's shape.
 */
import type { Attributes, Dialect } from './op.ts'
import type { Dtype } from './value.ts'

export type SmallStorage = 'int8' | 'float16'
/** What lies in a file is widened when the graph is opened; of `product:int8` forward products are `ops/int8-product.ts`'s. */
export type WeightStorage = SmallStorage | 'product:int8' | 'file:float16' | 'file:bfloat16'

const isInFile = (storage: WeightStorage) => storage.startsWith('file:')

export const storedDtype = (storage: WeightStorage) => storage.replace(/^\w+:/u, '') as Dtype

/** Float32 `[rows]`, beside the int8 weight `[rows, columns]` of that name. */
export const scaleName = (weight: string): string => `${weight}:scale`

type AddNode = (
  opType: string,
  inputs: readonly string[],
  attributes?: Attributes,
  outputs?: number,
) => string[]

interface Reading {
  readonly add: AddNode
  readonly float: Dialect['float']
  /** int64 `[1]`: more rows than any weight has. */
  readonly end: () => string
}

/** A zero, int64 `[1]`, that is there as soon as `value` is. */
function zeroAfter({ add }: Reading, value: string): string {
  const [size] = add('Shape', [value], { start: 0, end: 1 })
  return add('Sub', [size!, size!])[0]!
}

type Stored = readonly [name: string, storage: WeightStorage]

function widened(reading: Reading, [name, storage]: Stored, after: string | undefined): string {
  const { add, float } = reading
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (isInFile(storage)) return cast(name)
  const zero = after === undefined ? undefined : zeroAfter(reading, after)
  if (storage === 'float16') {
    if (zero === undefined) return cast(name)
    // The whole weight, from row 0 on.
    const [late] = add('Slice', [name, zero, reading.end(), zero])
    return cast(late!)
  }
  const scales = scaleName(name)
  const late = zero && add('Cast', [zero], { to: { type: 'float32' } })[0]!
  const given = late === undefined ? scales : add('Add', [scales, late])[0]!
  const [wide] = add('DequantizeLinear', [name, given], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** Those rows of a table that a Gather reads. */
function gathered({ add, float }: Reading, [name, storage]: Stored, rows: string): string {
  const take = (x: string) => add('Gather', [x, rows], { axis: 0 })[0]!
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (storedDtype(storage) !== 'int8') return cast(take(name))
  const [wide] = add('DequantizeLinear', [take(name), take(scaleName(name))], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** `addNode` for nodes that may read stored weights by their names. */
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
