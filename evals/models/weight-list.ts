/** @file Declares the weights of an architecture, and checks each against the checkpoint. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { nearNames } from '../errors/names.ts'
import type { Missing, WeightSpec } from './architecture.ts'
import { isBlockName } from '../graph/storage/blocks.ts'
import type { StoredWeight, WeightIndex } from './weights/storage.ts'
import { moduleNames } from './module-names.ts'

/** null stands for any size. */
type ExpectedShape = readonly (number | null)[]

interface LinearOptions {
  readonly biased?: boolean
  /** Index of its block; methods adapt only layers that have one. */
  readonly layer?: number
  /** Stored as `[in, out]` (GPT-2's Conv1D). */
  readonly transposed?: boolean
  /** Never adapted, although it is in a block (a router). */
  readonly fixed?: boolean
  /** Outputs where any number would do and every weight is initialised. */
  readonly made?: number
  /** Part of a classification head: `trained` always, `kept` only if it must be initialised. */
  readonly head?: 'trained' | 'kept'
}

export interface WeightList {
  readonly path: string
  /** In the order of declaration. */
  specs(): WeightSpec[]
  /** Each takes a layer's name without `.weight`, and returns the weight's shape as computed with, `[out, in]`. */
  embedding(name: string, expected: ExpectedShape): readonly number[]
  norm(name: string, size: number, options?: { biased?: boolean }): void
  linear(name: string, expected: ExpectedShape, options?: LinearOptions): readonly number[]
}

/** Names of a norm's weight and bias in checkpoints converted from TensorFlow. */
const older = (name: string): string =>
  name.replace(/(?<=LayerNorm\.)weight$/u, 'gamma').replace(/(?<=LayerNorm\.)bias$/u, 'beta')

/** @param prefix of names, which checkpoints of the bare model omit */
export function createWeightList(
  found: WeightIndex,
  path: string,
  prefix: string,
  missing: Missing = 'refuse',
): WeightList {
  const specs: Omit<WeightSpec, 'module'>[] = []
  const adapted = new Set<string>()
  const storedName = (name: string): string => {
    const bare = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : name
    return [name, older(name), bare, older(bare)].find((each) => found.has(each)) ?? bare
  }

  function take(name: string, expected: ExpectedShape): readonly number[] {
    const stored = found.get(storedName(name))
    if (!stored) {
      const near = nearNames(name, found.keys())
      throw new TouchstoneError('checkpoint.weight-missing', { path, name, near })
    }
    const { shape } = stored
    const fits =
      shape.length === expected.length &&
      expected.every((size, i) => size === null || size === shape[i])
    if (!fits) {
      throw new TouchstoneError('checkpoint.weight-shape', {
        path,
        name,
        found: `[${shape.join(', ')}]`,
        expected: `[${expected.map((size) => size ?? 'any').join(', ')}]`,
      })
    }
    return shape
  }

  type Part = Omit<WeightSpec, 'shape' | 'module' | 'head' | 'made'> &
    Pick<LinearOptions, 'head' | 'made'>
  function add({ head, made, ...spec }: Part, expected: ExpectedShape): readonly number[] {
    // A weight under the name of a new head belongs to another task.
    const isMade = head === 'trained' || (head === 'kept' && !found.has(storedName(spec.name)))
    if (missing === 'make' || (isMade && missing === 'make-head')) {
      const shape = expected.map((size) => size ?? made!)
      specs.push({ ...spec, shape, ...(head && { head: true }), made: true })
      return shape
    }
    const turn = (sizes: ExpectedShape) => (spec.transposed ? sizes.toReversed() : sizes)
    const shape = turn(take(spec.name, turn(expected))) as readonly number[]
    const stored = storedName(spec.name)
    const own = {
      ...(stored !== spec.name && { stored }),
      ...(head === 'trained' && { head: true as const }),
    }
    specs.push({ ...spec, shape, ...own, ...inBlocks(spec, shape, found.get(stored)!) })
    return shape
  }

  return {
    path,
    specs() {
      const modules = moduleNames([...adapted])
      return specs.map((spec) => {
        const module = modules.get(spec.name.replace(/\.weight$/u, ''))
        return module === undefined || spec.kind !== 'linear' ? spec : { ...spec, module }
      })
    },
    embedding: (name, expected) => add({ name: `${name}.weight`, kind: 'embedding' }, expected),
    norm(name, size, { biased = false } = {}) {
      add({ name: `${name}.weight`, kind: 'norm' }, [size])
      if (biased) add({ name: `${name}.bias`, kind: 'bias' }, [size])
    },
    linear(
      name,
      expected,
      { biased = false, layer, transposed = false, fixed = false, head, made } = {},
    ) {
      if (layer !== undefined && !fixed) adapted.add(name)
      const place = { ...(layer !== undefined && { layer }), ...(head && { head }) }
      const stored = { ...place, ...(transposed && { transposed }), ...(made && { made }) }
      const shape = add({ name: `${name}.weight`, kind: 'linear', ...stored }, expected)
      if (biased) add({ name: `${name}.bias`, kind: 'bias', ...(head && { head }) }, [shape[0]!])
      return shape
    },
  }
}

/** Whether the rows that the graph multiplies by are those of the file. */
function inBlocks(
  { kind, transposed: isTurned = false }: Pick<WeightSpec, 'kind' | 'transposed'>,
  shape: readonly number[],
  { storage, turned }: Pick<StoredWeight, 'storage' | 'turned'>,
): Pick<WeightSpec, 'blocks'> {
  const isMatrix = shape.length === 2 && (kind === 'linear' || kind === 'embedding')
  return isMatrix && isTurned === (turned ?? false) && isBlockName(storage)
    ? { blocks: storage }
    : {}
}

/** Transposes a matrix `[rows, columns]`. */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = matrix[i * columns + j]!
  return turned
}

/** From the checkpoint's layout to the graph's. */
export function asComputed(stored: Float32Array, spec: WeightSpec): Float32Array {
  const [out, input] = spec.shape as [number, number]
  return spec.transposed ? transposed(stored, input, out) : stored
}

/** From the graph's layout to the checkpoint's. */
export function asStored(
  data: Float32Array,
  spec: WeightSpec,
): { shape: readonly number[]; data: Float32Array } {
  const [out, input] = spec.shape as [number, number]
  return spec.transposed
    ? { shape: [input, out], data: transposed(data, out, input) }
    : { shape: spec.shape, data }
}
