/** @file Records a graph: its inputs, parameters and constants, and the operators applied to them, in order. */
import { createEmitter, type OnnxNode } from './emitter.ts'
import type { Dialect, Emitter, Op, RuleGraph } from './op.ts'
import { blockOf } from './storage/blocks.ts'
import { storedInputs, type StoredWeight, type WeightStorage } from './storage/stored.ts'
import type { Dtype, Shape, Value, ValueType } from './value.ts'

export type Initialiser = 'zeros' | 'ones' | { uniform: number } | { normal: number }

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  /** null: the checkpoint provides the initial value. */
  readonly initialiser: Initialiser | null
  readonly value: Value
  readonly learningRateScale: number
}

interface Constant extends ValueType {
  readonly name: string
  readonly data: readonly number[] | Float32Array
}

export interface Application {
  readonly op: Op<unknown>
  readonly attributes: unknown
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly kept: Readonly<Record<string, Value>>
}

/** What operators and models build on. `Graph` (ops/index.ts) adds one method per operator. */
export interface GraphCore extends Pick<RuleGraph, 'apply' | 'constant'> {
  readonly dialect: Dialect
  /** Dtype of weights and activations. */
  readonly float: Dialect['float']
  readonly inputs: readonly Value[]
  readonly parameters: readonly ParameterSpec[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly OnnxNode[]
  readonly applications: readonly Application[]
  /** Ranges of applications, `start ≤ i < end`, that `gradients` may recompute; ascending and disjoint. */
  readonly segments: readonly { readonly start: number; readonly end: number }[]
  /** Whether an input is in ggml's blocks, which are read where they lie and never widened whole in a forward pass. */
  readonly isInBlocks: (name: string) => boolean
  /** Shapes that the runtime must feed as int64 vectors, by input name. */
  readonly shapeInputs: ReadonlyMap<string, Shape>
  input(name: string, dtype: Dtype, shape: Shape): Value
  /** A frozen weight stored as `storage`: one input, and for int8 and NF4 further ones with its scales (`storage/stored.ts`). */
  stored(name: string, shape: readonly number[], storage: WeightStorage): Value
  /** A trained tensor: an input whose gradient the training graph returns. */
  parameter(
    name: string,
    shape: readonly number[],
    options?: { initialiser?: Initialiser; learningRateScale?: number },
  ): Value
  /** Records the operators that `build` applies as one segment, for example a block of a model. */
  segment<T>(build: () => T): T
}

export function createCore(dialect: Dialect): GraphCore {
  let counter = 0
  const fresh = (stem: string) => `${stem}#${++counter}`
  const inputs: Value[] = []
  const nodes: OnnxNode[] = []
  const shapeInputs = new Map<string, Shape>()
  const stored = new Map<string, StoredWeight>()
  const scalars = new Set<string>()
  const noted = (value: Value): Value => {
    if (value.shape.length === 0) scalars.add(value.name)
    return value
  }
  const input: GraphCore['input'] = (...named) => noted(inputsInto(inputs)(...named))
  const constants = createConstants(fresh)
  const constant: GraphCore['constant'] = (...given) => noted(constants.constant(...given))
  const own = { dialect, inputs, nodes, shapeInputs, input, constant }
  const parameters: ParameterSpec[] = []
  return {
    ...own,
    ...createTape(createEmitter({ ...own, stored, scalars, fresh }), noted),
    float: dialect.float,
    constants: constants.all,
    parameters,
    isInBlocks: (name) => blockOf(stored.get(name)?.storage) !== undefined,
    stored(name, shape, storage) {
      const weight = { storage, shape }
      for (const part of storedInputs(name, weight)) input(part.name, part.dtype, part.shape)
      stored.set(name, weight)
      return { name, dtype: dialect.float, shape }
    },
    parameter(name, shape, { initialiser, learningRateScale = 1 } = {}) {
      const value = input(name, dialect.float, shape)
      parameters.push({ name, shape, initialiser: initialiser ?? null, value, learningRateScale })
      return value
    },
  }
}

const inputsInto =
  (inputs: Value[]): GraphCore['input'] =>
  (name, dtype, shape) => {
    if (inputs.some((known) => known.name === name))
      throw new Error(`internal: the graph already has an input "${name}"`)
    const value = { name, dtype, shape }
    inputs.push(value)
    return value
  }

/** Constants up to this length are deduplicated. */
const SHORT = 16

function createConstants(fresh: (stem: string) => string) {
  const all: Constant[] = []
  const known = new Map<string, Value>()
  const constant: GraphCore['constant'] = (data, dtype, shape) => {
    const isShort = data.length <= SHORT
    const key = isShort ? `${dtype}${shape.join('x')}:${Array.from(data).join(',')}` : fresh('key')
    const value = known.get(key) ?? { name: fresh('constant'), dtype, shape }
    if (!known.has(key)) all.push({ ...value, data })
    known.set(key, value)
    return value
  }
  return { all, constant }
}

/** The applied operators and their segments. */
function createTape(
  e: Emitter,
  noted: (value: Value) => Value,
): Pick<GraphCore, 'applications' | 'segments' | 'apply' | 'segment'> {
  const applications: Application[] = []
  const segments: { start: number; end: number }[] = []
  return {
    applications,
    segments,
    apply(op, inputs, attributes) {
      const types = op.infer(inputs, attributes)
      const names = inputs.map(({ name }) => name)
      const emitted = op.emit({ e, inputs: names, types: inputs, attributes })
      const outputs = types.outputs.map((type, i) => noted({ ...type, name: emitted.outputs[i]! }))
      const kept = Object.fromEntries(
        Object.entries(types.keep ?? {}).map(([key, type]) => [
          key,
          { ...type, name: emitted.keep![key]! },
        ]),
      )
      applications.push({ op: op as Op<unknown>, attributes, inputs, outputs, kept })
      return outputs
    },
    segment(build) {
      const start = applications.length
      const built = build()
      if ((segments.at(-1)?.end ?? 0) > start)
        throw new Error('internal: a segment lies within another')
      segments.push({ start, end: applications.length })
      return built
    },
  }
}
