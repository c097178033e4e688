/**
 * @file Values known before a graph runs: constants, and sizes of tensors as symbols. Exported graphs compute shapes from
 * shapes; computing them here removes them before differentiation.
 */
import { multiply } from '../shape.ts'
import type { Dim, Dtype } from '../value.ts'
import type { FileTensor } from './graph-file.ts'

/** A small tensor of numbers or symbolic sizes. Booleans are 0 and 1. */
export interface Known {
  readonly dtype: Dtype
  readonly dims: readonly number[]
  readonly entries: readonly Dim[]
}

export const known = (dtype: Dtype, dims: readonly number[], entries: readonly Dim[]): Known => ({
  dtype,
  dims,
  entries,
})

export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1)

/** Largest tensor that is folded. */
export const MOST_KNOWN = 4096

/** The numbers of a tensor stored in the model file. */
export function numbersOf({ dtype, place }: FileTensor): readonly number[] | undefined {
  if (place.kind !== 'inside' || dtype === undefined) return undefined
  const View = VIEWS[dtype]
  const { buffer, byteOffset, byteLength } = place.data.slice()
  return (
    View && Array.from(new View(buffer, byteOffset, byteLength / View.BYTES_PER_ELEMENT), Number)
  )
}

const VIEWS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  float16: undefined,
  bfloat16: undefined,
  int8: undefined,
} as const satisfies Record<Dtype, unknown>

type Binary = (a: Dim, b: Dim) => Dim | undefined

const numeric =
  (f: (a: number, b: number) => number): Binary =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? f(a, b) : undefined

/** A symbolic size is at least 1. */
const DIM_ARITHMETIC: Readonly<Record<string, Binary>> = {
  Add: (a, b) => (a === 0 ? b : b === 0 ? a : numeric((x, y) => x + y)(a, b)),
  Sub: (a, b) => (b === 0 ? a : a === b ? 0 : numeric((x, y) => x - y)(a, b)),
  Mul: (a, b) =>
    a === 0 || b === 0
      ? 0
      : typeof a === 'number' && typeof b === 'number'
        ? a * b
        : [a, b].every((x) => typeof x === 'string' || (Number.isInteger(x) && x > 0))
          ? multiply(a, b)
          : undefined,
  Div: (a, b) => (b === 1 ? a : numeric((x, y) => x / y)(a, b)),
  Pow: numeric((x, y) => x ** y),
  Max: (a, b) => (a === b ? a : (larger(a, b) ?? larger(b, a))),
  Min: numeric(Math.min),
  Equal: (a, b) => {
    if (a === b) return 1
    if (typeof a === 'number' && typeof b === 'number') return 0
    const number = [a, b].find((x) => typeof x === 'number')
    return number !== undefined && number <= 0 ? 0 : undefined
  },
}

const larger = (a: Dim, b: Dim): Dim | undefined =>
  typeof b === 'number' && (typeof a === 'number' ? a >= b : b <= 1) ? a : undefined

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Exp: Math.exp,
  Reciprocal: (x) => 1 / x,
  Not: (x) => 1 - x,
}

/** NumPy broadcasting over known tensors; undefined if some entry is not known. */
export function combine(opType: string, a: Known, b: Known): Known | undefined {
  const f = DIM_ARITHMETIC[opType]
  if (!f) return undefined
  const isWhole = a.dtype.startsWith('int')
  const entries = overBroadcast([a, b], ([x, y]) => {
    const result = f(x!, y!)
    return typeof result === 'number' && isWhole ? Math.trunc(result) : result
  })
  return entries && { ...entries, dtype: opType === 'Equal' ? 'bool' : a.dtype }
}

export function choose(condition: Known, a: Known, b: Known): Known | undefined {
  const entries = overBroadcast([condition, a, b], ([c, x, y]) =>
    typeof c === 'number' ? (c === 0 ? y : x) : undefined,
  )
  return entries && { ...entries, dtype: a.dtype }
}

export function alone(opType: string, { dtype, dims, entries }: Known): Known | undefined {
  const f = UNARY[opType]
  if (!f || !entries.every((x) => typeof x === 'number')) return undefined
  return known(dtype, dims, entries.map(f))
}

function overBroadcast(
  tensors: readonly Known[],
  f: (entries: readonly Dim[]) => Dim | undefined,
): Omit<Known, 'dtype'> | undefined {
  const rank = Math.max(...tensors.map(({ dims }) => dims.length))
  const padded = tensors.map(({ dims }) => [...Array<number>(rank - dims.length).fill(1), ...dims])
  const dims = Array.from({ length: rank }, (_, axis) =>
    padded.reduce((most, own) => (own[axis] === 1 ? most : own[axis]!), 1),
  )
  if (!(sizeOf(dims) <= MOST_KNOWN)) return undefined
  const entries: Dim[] = []
  for (let i = 0; i < sizeOf(dims); i++) {
    const result = f(tensors.map(({ entries: own }, t) => own[indexIn(padded[t]!, dims, i)]!))
    if (result === undefined) return undefined
    entries.push(result)
  }
  return { dims, entries }
}

/** The index in a tensor of `own` dims of element `i` of the broadcast. */
function indexIn(own: readonly number[], dims: readonly number[], i: number): number {
  let [index, stride, rest] = [0, 1, i]
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const at = rest % dims[axis]!
    rest = Math.floor(rest / dims[axis]!)
    if (own[axis] !== 1) index += at * stride
    stride *= own[axis]!
  }
  return index
}
