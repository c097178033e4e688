/** @file Trained tensors as one flat vector with a table of slices by name. */
import type { ParameterSpec } from '../../graph/builder.ts'
import type { ParameterGroup } from '../../graph/optimizer.ts'
import type { Model } from '../../models/registry.ts'
import { overlaid } from '../../models/weights/small-weights.ts'
import { randomStream } from '../../statistics/random.ts'

export interface ParameterSlice {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
  readonly learningRateScale: number
}

export interface ParameterTable {
  readonly slices: readonly ParameterSlice[]
  readonly size: number
  /** Count of trained numbers; the table also holds fixed tensors (learning-rate factor 0). */
  readonly trained: number
}

export const isTrained = ({ learningRateScale }: { learningRateScale: number }): boolean =>
  learningRateScale !== 0

export function parameterTable(
  specs: readonly Pick<ParameterSpec, 'name' | 'shape' | 'learningRateScale'>[],
): ParameterTable {
  let end = 0
  const slices = specs.map(({ name, shape, learningRateScale }) => {
    const start = end
    end += shape.reduce((product, size) => product * size, 1)
    return { name, shape, start, end, learningRateScale }
  })
  const trained = slices.filter(isTrained).reduce((sum, slice) => sum + slice.end - slice.start, 0)
  return { slices, size: end, trained }
}

/** Initial values: prepared ones, else from the initialiser and (seed, name), else from the checkpoint. */
export function initialParameters(
  specs: readonly ParameterSpec[],
  table: ParameterTable,
  seed: number,
  fromCheckpoint: (name: string) => Float32Array,
  prepared?: ReadonlyMap<string, Float32Array>,
): Float32Array {
  const flat = new Float32Array(table.size)
  specs.forEach(({ name, initialiser }, i) => {
    const { start, end } = table.slices[i]!
    const given = prepared?.get(name)
    if (given) return flat.set(given, start)
    if (initialiser === null) return flat.set(fromCheckpoint(name), start)
    if (initialiser === 'zeros') return
    if (initialiser === 'ones') return void flat.fill(1, start, end)
    const stream = randomStream(seed, `initialise:${name}`)
    const draw =
      'uniform' in initialiser
        ? () => (2 * stream.uniform() - 1) * initialiser.uniform
        : () => stream.normal() * initialiser.normal
    for (let j = start; j < end; j++) flat[j] = draw()
  })
  return flat
}

/** BERT's initializer_range. */
const MADE_DEVIATION = 0.02

/** Adds weights that no checkpoint holds, drawn from (seed, name): matrices from N(0, 0.02²), biases 0. */
export function withMadeWeights(
  { weights: specs }: Pick<Model, 'weights'>,
  stored: ReadonlyMap<string, Float32Array>,
  seed: number,
): ReadonlyMap<string, Float32Array> {
  const made = [...specs.values()].filter((spec) => spec.made)
  if (made.length === 0) return stored
  const begun = made.map(({ name, shape, kind }) => {
    const stream = randomStream(seed, `make:${name}`)
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
    if (kind === 'linear')
      for (let i = 0; i < data.length; i++) data[i] = stream.normal() * MADE_DEVIATION
    return [name, data] as const
  })
  return overlaid(stored, new Map(begun))
}

/** Norms and biases have no weight decay, unless `decayEverything`. */
export const optimizerGroups = (
  { slices }: ParameterTable,
  decayEverything: boolean,
): ParameterGroup[] =>
  slices.map(({ shape, start, end, learningRateScale }) => ({
    start,
    end,
    learningRateScale,
    decays: decayEverything || shape.length > 1,
  }))

/** Views into `flat` by tensor name. */
export const namedViews = ({ slices }: ParameterTable, flat: Float32Array) =>
  new Map(
    slices.map(({ name, shape, start, end }) => [name, { shape, data: flat.subarray(start, end) }]),
  )
