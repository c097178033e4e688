/**
 * @file What an operator is: one record `{ infer, emit, vjp }`.
 *
 * A primitive emits one ONNX node; a macro emits several, names what it keeps for its gradient, and has a gradient of
 * its own, which a law checks against central differences and against the same macro written in primitives. Only
 * standard operators and ONNX Runtime's inference contrib operators may be emitted. Which of them depends on the
 * dialect, and that is decided inside `emit`.
 */
import type { Graph } from './ops/index.ts'
import type { Dtype, Shape, Value, ValueType } from './value.ts'

export interface Dialect {
  /** The dtype of weights and activations. float64 exists for gradient checks. */
  readonly float: 'float32' | 'float64'
  /**
   * Whether kernels may be used that the CPU alone is known to fill whole. On WebGPU, RMS normalisation's second output is
   * left unwritten, in silence, and FusedMatMul, LogSoftmax and OneHot have no kernel (docs/gpu.md).
   */
  readonly fused: boolean
  /**
   * `whole`: ONNX Runtime's kernel, which gives a row the same bits beside any other rows and with any padding behind it, and
   * others with AVX-512 than with AVX2. `parts`: the same bits with both, and not beside any rows (docs/pebble.md).
   */
  readonly softmax: 'whole' | 'parts'
  /** Who says what a symbolic shape is when the graph runs: whoever feeds it, or nodes that look at its inputs. */
  readonly shapes: 'fed' | 'computed'
}

export const CPU: Dialect = { float: 'float32', fused: true, softmax: 'whole', shapes: 'fed' }
/** What learns on the CPU: of the kernels that a step runs there, softmax alone was found to round by an x86-64's vectors. */
export const LEARNING: Dialect = { ...CPU, softmax: 'parts' }
/** What runs on any device, float32. */
export const PORTABLE: Dialect = { ...CPU, fused: false }
export const FLOAT64: Dialect = { ...PORTABLE, float: 'float64' }
/** Standard operators alone, and no input but the model's own: what is written for other programs. */
export const STANDALONE: Dialect = { ...PORTABLE, shapes: 'computed' }

export type AttributeValue =
  number | string | readonly number[] | { float: number } | { type: Dtype }
export type Attributes = Readonly<Record<string, AttributeValue>>

/** Writes ONNX nodes. Names in, names out; an absent optional input is `''`. */
export interface Emitter {
  readonly dialect: Dialect
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Attributes,
    outputs?: number,
  ): string[]
  /** A contrib operator (domain com.microsoft). */
  contrib(
    opType: string,
    inputs: readonly string[],
    attributes?: Attributes,
    outputs?: number,
  ): string[]
  int64(values: readonly number[]): string
  int32(values: readonly number[]): string
  /** A scalar in the dialect's float. */
  scalar(value: number): string
  /** The run-time value of a shape, int64 `[rank]`. */
  shape(shape: Shape): string
}

interface EmitContext<A> {
  readonly e: Emitter
  readonly inputs: readonly string[]
  readonly types: readonly ValueType[]
  readonly attributes: A
}

interface VjpContext<A> {
  readonly g: Graph
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly kept: Readonly<Record<string, Value>>
  readonly attributes: A
  /** Gradients of the loss with respect to the outputs; undefined where an output does not reach the loss. */
  readonly dOutputs: readonly (Value | undefined)[]
  /** `dOutputs[0]`, for the many operators with one output. */
  readonly dY: Value
}

export interface Op<A = undefined> {
  readonly name: string
  /** Its one output costs little to make: where a gradient's rule reads it, it is made again, and not held until then. */
  readonly isLight?: true
  infer(
    inputs: readonly ValueType[],
    attributes: A,
  ): { outputs: readonly ValueType[]; keep?: Readonly<Record<string, ValueType>> }
  emit(context: EmitContext<A>): {
    outputs: readonly string[]
    keep?: Readonly<Record<string, string>>
  }
  /** One gradient an input, `undefined` where there is none (integers). `'none'`: not differentiable, gradients stop. */
  readonly vjp: ((context: VjpContext<A>) => readonly (Value | undefined)[]) | 'none'
}
