/** @file Records a graph: inputs, parameters, constants, and the operators applied to them, in order. */
import type { Attributes, Dialect, Emitter, Op } from './op.ts'
import { int8Products } from './ops/int8-product.ts'
import { readingStored, scaleName, storedDtype, type WeightStorage } from './stored.ts'
import type { Dtype, Shape, Value, ValueType } from './value.ts'

export type Initialiser = 'zeros' | 'ones' | { uniform: number } | { normal: number }

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  /** How it begins; null where its value comes from a checkpoint. */
  readonly initialiser: Initialiser | null
  readonly value: Value
  readonly learningRateScale: number
}

export interface OnnxNode {
  readonly domain: '' | 'com.microsoft'
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Attributes
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

/** What operators and models build on. `Graph` (ops/index.ts) adds one method an operator. */
export interface GraphCore {
  readonly dialect: Dialect
  /** The dtype of weights and activations. */
  readonly float: Dialect['float']
  readonly inputs: readonly Value[]
  readonly parameters: readonly ParameterSpec[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly OnnxNode[]
  readonly applications: readonly Application[]
  /** Runs of applications, `start ≤ i < end`, that `gradients` may compute a second time; in order, none within another. */
  readonly segments: readonly { readonly start: number; readonly end: number }[]
  /** Shapes that the runtime must feed as int64 vectors, by input name. */
  readonly shapeInputs: ReadonlyMap<string, Shape>
  input(name: string, dtype: Dtype, shape: Shape): Value
  /** A frozen weight that is kept as `storage`: an input, and for int8 another of its scales (`stored.ts`). */
  stored(name: string, shape: readonly number[], storage: WeightStorage): Value
  /** A trained tensor: an input whose gradient the training graph returns. */
  parameter(
    name: string,
    shape: readonly number[],
    options?: { initialiser?: Initialiser; learningRateScale?: number },
  ): Value
  constant(data: readonly number[] | Float32Array, dtype: Dtype, shape: readonly number[]): Value
  apply<A>(op: Op<A>, inputs: readonly Value[], attributes: A): Value[]
  /** What `build` applies is one segment: a block of a model, say. */
  segment<T>(build: () => T): T
}

export function createCore(dialect: Dialect): GraphCore {
  const inputs: Value[] = []
  const parameters: ParameterSpec[] = []
  const constants: Constant[] = []
  const nodes: OnnxNode[] = []
  const applications: Application[] = []
  const segments: { start: number; end: number }[] = []
  const shapeInputs = new Map<string, Shape>()
  const names = new Set<string>()
  const constantByKey = new Map<string, Value>()
  const sizes = new Map<string, string>()
  let counter = 0

  const fresh = (stem: string) => `${stem}#${++counter}`

  function input(name: string, dtype: Dtype, shape: Shape): Value {
    if (names.has(name)) throw new Error(`internal: the graph already has an input "${name}"`)
    names.add(name)
    const value = { name, dtype, shape }
    inputs.push(value)
    return value
  }

  function constant(
    data: readonly number[] | Float32Array,
    dtype: Dtype,
    shape: readonly number[],
  ): Value {
    const key =
      data.length <= 16 ? `${dtype}${shape.join('x')}:${Array.from(data).join(',')}` : fresh('key')
    const known = constantByKey.get(key)
    if (known) return known
    const value = { name: fresh('constant'), dtype, shape }
    constants.push({ ...value, data })
    constantByKey.set(key, value)
    return value
  }

  const addNode =
    (domain: OnnxNode['domain']) =>
    (opType: string, nodeInputs: readonly string[], attributes: Attributes = {}, outputs = 1) => {
      const outputNames = Array.from({ length: outputs }, () => fresh(opType))
      nodes.push({ domain, opType, inputs: nodeInputs, outputs: outputNames, attributes })
      return outputNames
    }

  /** A symbol's value, int64 `[1]`, read off an input that carries it. */
  function sizeOf(symbol: string): string {
    const known = sizes.get(symbol)
    if (known) return known
    const carrier = inputs.find(({ shape }) => shape.includes(symbol))
    if (!carrier) throw new Error(`internal: no input carries the dimension "${symbol}"`)
    const start = carrier.shape.indexOf(symbol)
    const [size] = emitter.node('Shape', [carrier.name], { start, end: start + 1 })
    sizes.set(symbol, size!)
    return size!
  }

  const stored = new Map<string, WeightStorage>()
  const end = () => constant([2 ** 31 - 1], 'int64', [1]).name
  const reading = (domain: OnnxNode['domain']) =>
    readingStored(addNode(domain), { add: addNode(''), float: dialect.float, end }, stored)

  const emitter: Emitter = {
    dialect,
    node: reading(''),
    contrib: int8Products(reading('com.microsoft'), { addNode, constant }, stored),
    int64: (values) => constant(values, 'int64', [values.length]).name,
    int32: (values) => constant(values, 'int32', [values.length]).name,
    scalar: (value) => constant([value], dialect.float, []).name,
    shape(shape) {
      const symbolic = shape.filter((dim) => typeof dim === 'string')
      if (symbolic.length === 0) return emitter.int64(shape as number[])
      if (dialect.shapes === 'computed') return computedShape(emitter, shape, sizeOf)
      const name = `shape:${shape.join(',')}`
      if (!shapeInputs.has(name)) {
        shapeInputs.set(name, shape)
        input(name, 'int64', [shape.length])
      }
      return name
    },
  }

  return {
    dialect,
    float: dialect.float,
    inputs,
    parameters,
    constants,
    nodes,
    applications,
    segments,
    shapeInputs,
    input,
    constant,
    stored(name, shape, storage) {
      input(name, storedDtype(storage), shape)
      if (storedDtype(storage) === 'int8') input(scaleName(name), 'float32', [shape[0]!])
      stored.set(name, storage)
      return { name, dtype: dialect.float, shape }
    },
    parameter(name, shape, { initialiser, learningRateScale = 1 } = {}) {
      const value = input(name, dialect.float, shape)
      parameters.push({ name, shape, initialiser: initialiser ?? null, value, learningRateScale })
      return value
    },
    apply(op, opInputs, attributes) {
      const types = op.infer(opInputs, attributes)
      const emitted = op.emit({
        e: emitter,
        inputs: opInputs.map(({ name }) => name),
        types: opInputs,
        attributes,
      })
      const outputs = types.outputs.map((type, i) => ({ ...type, name: emitted.outputs[i]! }))
      const kept = Object.fromEntries(
        Object.entries(types.keep ?? {}).map(([key, type]) => [
          key,
          { ...type, name: emitted.keep![key]! },
        ]),
      )
      applications.push({ op: op as Op<unknown>, attributes, inputs: opInputs, outputs, kept })
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

/** Nodes that multiply the symbols of each dimension and put the dimensions behind one another. */
function computedShape(e: Emitter, shape: Shape, sizeOf: (symbol: string) => string): string {
  const dims = shape.map((dim) => {
    const parts = String(dim).split('*')
    const factors = parts.map((part) =>
      /^\d+$/u.test(part) ? e.int64([Number(part)]) : sizeOf(part),
    )
    return factors.reduce((a, b) => e.node('Mul', [a, b])[0]!)
  })
  return dims.length === 1 ? dims[0]! : e.node('Concat', dims, { axis: 0 })[0]!
}
