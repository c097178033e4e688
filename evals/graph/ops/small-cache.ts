/**
 * @file Keys and values that are kept in fewer bits: float16, or int8 with a scale for each token and head, x ≈ scale·q with
 * scale = max|x|/127, so |error| ≤ scale/2. What is attended to is what is kept, so that a text read in two runs gives the bits
 * of one. Not differentiable.
 */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import type { Dim, Value, ValueType } from '../value.ts'
import { afterwards, type HeadLayout } from './attention.ts'

export type SmallCache = 'float16' | 'int8'

/** A head of zeros has no scale, and what is 0 times this is 0. */
const LEAST = 1e-30

interface KeptHeads extends Omit<HeadLayout, 'group'> {
  readonly storage: SmallCache
}

/** x·0 is 0, and no number where x is none: int8 has no sign for it. */
function int8Of(e: Emitter, x: string): { kept: string; scales: string } {
  const last = e.int64([-1])
  const over = (op: string, y: string) => e.node(op, [y, last], { keepdims: 1 })[0]!
  const [sizes] = e.node('Abs', [x])
  const [largest] = e.node('Max', [over('ReduceMax', sizes!), e.scalar(LEAST)])
  const [zeros] = e.node('Mul', [x, e.scalar(0)])
  const [even] = e.node('Div', [largest!, e.scalar(127)])
  const [scales] = e.node('Add', [even!, over('ReduceSum', zeros!)])
  const [whole] = e.node('Round', e.node('Div', [x, scales!]))
  return { kept: e.node('Cast', [whole!], { to: { type: 'int8' } })[0]!, scales: scales! }
}

const widened = (e: Emitter, [kept, scales]: readonly string[]): string => {
  const [wide] = e.node('Cast', [kept!], { to: { type: e.dialect.float } })
  return scales === undefined ? wide! : e.node('Mul', [wide!, scales])[0]!
}

const partsOf = (kept: ValueType, storage: SmallCache, float: ValueType['dtype']): ValueType[] =>
  storage === 'int8' ? [kept, { dtype: float, shape: [...kept.shape.slice(0, -1), 1] }] : [kept]

/**
 * Rounds new keys or values: x `[batch*seq, kvHeads*d]` → the same as it is kept and read back, what is kept
 * `[batch, kvHeads, seq, d]`, and of int8 the scales `[batch, kvHeads, seq, 1]`.
 */
export const KeepHeads: Op<KeptHeads> = {
  name: 'KeepHeads',
  infer: ([x], { batch, seq, kvHeads, headDim, storage }) => {
    const kept = { dtype: storage, shape: [batch, kvHeads, seq, headDim] }
    return { outputs: [x!, ...partsOf(kept, storage, x!.dtype)] }
  },
  emit: ({ e, inputs: [x], attributes: { batch, seq, kvHeads, headDim, storage } }) => {
    const [wide] = e.node('Reshape', [x!, e.shape([batch, seq, kvHeads, headDim])])
    const rounded = storage === 'int8' ? int8Of(e, wide!) : undefined
    const parts = rounded
      ? [rounded.kept, rounded.scales]
      : e.node('Cast', [wide!], { to: { type: storage } })
    const back = e.node('Reshape', [widened(e, parts), e.int64([-1, kvHeads * headDim])])
    const byHead = (part: string) => e.node('Transpose', [part], { perm: [0, 2, 1, 3] })[0]!
    return { outputs: [back[0]!, ...parts.map(byHead)] }
  },
  vjp: 'none',
}

interface ReadAttributes {
  readonly storage: SmallCache
  /** The size of what is read along the tokens. */
  readonly total: Dim
}

/**
 * The first `total` tokens of what is kept `[batch, kvHeads, capacity, d]`, with its scales where it is int8, as floats. Made after
 * the value `after`: ONNX Runtime would read the caches of all layers at the start, and have them in memory all at once.
 * Inputs: total int32 `[1]`, after, kept, scales.
 */
export const ReadHeads: Op<ReadAttributes> = {
  name: 'ReadHeads',
  infer: ([, after, kept], { total }) => ({
    outputs: [{ dtype: after!.dtype, shape: kept!.shape.with(2, total) }],
  }),
  emit: ({ e, inputs: [total, after, ...parts] }) => {
    const [count] = e.node('Cast', [total!], { to: { type: 'int64' } })
    const end = afterwards(e, count!, [after!])
    const some = (part: string) => e.node('Slice', [part, e.int64([0]), end, e.int64([2])])[0]!
    return { outputs: [widened(e, parts.map(some))] }
  },
  vjp: 'none',
}

/** Kept keys or values, and of int8 their scales. */
export type KeptParts = readonly [kept: Value, scales?: Value]

const present = (parts: KeptParts): Value[] => parts.flatMap((part) => part ?? [])

export const smallCaches = (g: GraphCore) => ({
  keepHeads: (x: Value, attributes: KeptHeads): { value: Value; parts: readonly Value[] } => {
    const [value, ...parts] = g.apply(KeepHeads, [x], attributes)
    return { value: value!, parts }
  },
  readHeads: (parts: KeptParts, total: Value, after: Value): Value => {
    const storage = parts[0].dtype as SmallCache
    return g.apply(ReadHeads, [total, after, ...present(parts)], { storage, total: 'read' })[0]!
  },
})
