/**
 * @file An operator is one record `{ infer, emit, vjp }`.
 *
 * A primitive emits one ONNX node. A macro emits several, names the values that it keeps for its gradient, and has a gradient
 * of its own; tests compare it with central differences and with the same macro written in primitives. `emit` writes standard
 * operators, ONNX Runtime's inference contrib operators and, for serving, the addon's own; it chooses among them by the dialect.
 */
import type { Dtype, Shape, Value, ValueType } from './value.ts'

export interface Dialect {
  /** Dtype of weights and activations. float64 serves gradient checks. */
  readonly float: 'float32' | 'float64'
  /** Whether to use fused kernels. WebGPU lacks some and leaves the second output of RMS normalisation unwritten (docs/gpu.md). */
  readonly fused: boolean
  /** `whole`, one kernel: a row's bits depend on no other row, but on AVX-512 or AVX2. `parts`: the reverse (docs/models/pebble.md). */
  readonly softmax: 'whole' | 'parts'
  /** Source of a symbolic shape's value at run time: fed by the caller, or computed by nodes from the inputs. */
  readonly shapes: 'fed' | 'computed'
}

export const CPU: Dialect = { float: 'float32', fused: true, softmax: 'whole', shapes: 'fed' }
/** Training on the CPU. Of the kernels in a step, only softmax rounds by the width of the processor's vectors. */
export const LEARNING: Dialect = { ...CPU, softmax: 'parts' }
/** Any device, float32. */
export const PORTABLE: Dialect = { ...CPU, fused: false }
export const FLOAT64: Dialect = { ...PORTABLE, float: 'float64' }
/** For export to other programs: standard operators, and no inputs but the model's own. */
export const STANDALONE: Dialect = { ...PORTABLE, shapes: 'computed' }

export type AttributeValue =
  number | string | readonly number[] | { float: number } | { type: Dtype }
export type Attributes = Readonly<Record<string, AttributeValue>>

/** The operator sets: ONNX's own, ONNX Runtime's contrib operators, and the addon's. */
export type Domain = '' | 'com.microsoft' | 'touchstone'

/** Adds a node and returns the names of its outputs. The name of an absent optional input is `''`. */
export type AddNode = (
  opType: string,
  inputs: readonly string[],
  attributes?: Attributes,
  outputs?: number,
) => string[]

/** Writes ONNX nodes; values are given and returned by name. */
export interface Emitter {
  readonly dialect: Dialect
  readonly node: AddNode
  /** A contrib operator (domain com.microsoft). */
  readonly contrib: AddNode
  /** An operator of the addon's (domain touchstone). */
  readonly own: AddNode
  int64(values: readonly number[]): string
  /** A scalar in the dialect's float. */
  scalar(value: number): string
  /** The run-time value of a shape, int64 `[rank]`. */
  shape(shape: Shape): string
}

type UnaryName = 'neg' | 'exp' | 'sin' | 'cos' | 'sigmoid' | 'tanh' | 'erf'
type BinaryName = 'add' | 'sub' | 'mul' | 'div' | 'matMul' | 'matMulT' | 'tMatMul' | 'gatherRows'

/**
 * The part of `Graph` (ops/index.ts) that gradient rules are written in. Declared here, so that the rules' types do not depend
 * on the files of the operators. Each method is documented where it is defined.
 */
export interface RuleGraph
  extends
    Record<UnaryName, (x: Value) => Value>,
    Record<BinaryName, (a: Value, b: Value) => Value> {
  apply<A>(op: Op<A>, inputs: readonly Value[], attributes: A): Value[]
  constant(data: readonly number[] | Float32Array, dtype: Dtype, shape: readonly number[]): Value
  scalar(value: number): Value
  filled(shape: Shape, value: number): Value
  cast(x: Value, dtype: Dtype): Value
  equal(a: Value, b: Value): Value
  where(condition: Value, a: Value, b: Value): Value
  reshape(x: Value, shape: Shape): Value
  transpose(x: Value, order?: readonly number[]): Value
  slice(x: Value, axis: number, start: number, end: number): Value
  concat(parts: readonly Value[], axis: number): Value
  piece(x: Value, axis: number, range: readonly [number, number], count: number): Value
  scatterAddRows(shape: Shape, indices: Value, updates: Value): Value
  reduceSum(x: Value, axes: readonly number[], options: { keepDims: boolean }): Value
  matMulAdd(a: Value, b: Value, c: Value): Value
  scaledMatMul(a: Value, b: Value, scale: number): Value
  scaledTMatMul(a: Value, b: Value, scale: number): Value
}

interface EmitContext<A> {
  readonly e: Emitter
  readonly inputs: readonly string[]
  readonly types: readonly ValueType[]
  readonly attributes: A
}

interface VjpContext<A> {
  readonly g: RuleGraph
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly kept: Readonly<Record<string, Value>>
  readonly attributes: A
  /** Gradient of the loss with respect to the output; of several outputs, the first that reaches the loss. */
  readonly dY: Value
}

export interface Op<A = undefined> {
  readonly name: string
  /** Its single output is cheap: the backward pass computes it again instead of keeping it. */
  readonly isLight?: true
  infer(
    inputs: readonly ValueType[],
    attributes: A,
  ): { outputs: readonly ValueType[]; keep?: Readonly<Record<string, ValueType>> }
  emit(context: EmitContext<A>): {
    outputs: readonly string[]
    keep?: Readonly<Record<string, string>>
  }
  /** One gradient per input, undefined for integers. `'none'`: not differentiable, gradients stop here. */
  readonly vjp: ((context: VjpContext<A>) => readonly (Value | undefined)[]) | 'none'
}
