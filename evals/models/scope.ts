/**
 * @file The interface between architectures and fine-tuning methods: gives weights to the one, lets the other adapt layers.
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { WeightStorage } from '../graph/storage/stored.ts'
import type { Value } from '../graph/value.ts'
import type { ModelScope, WeightSpec } from './architecture.ts'

export interface LinearSite {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string
  readonly module: string
  readonly layer: number
  /** `[out, in]` */
  readonly weight: Value
  readonly inFeatures: number
  readonly outFeatures: number
}

/** Law: `forward(x)` = x · `weight()`ᵀ, for mergeable methods in evaluation mode. */
export interface Adapter {
  /** x `[rows, in]` → `[rows, out]`, without materialising the weight. */
  forward(x: Value): Value
  /** `[out, in]`, for merging, export and spectra. */
  weight(): Value
}

/** In training an adapter may have inputs fed by the method (zeros by default); in evaluation it has none. */
export type Mode = 'train' | 'evaluate'

export interface ScopeOptions {
  readonly maxPositions: number
  /** How a frozen weight is stored, if not in the graph's float type. */
  readonly storage?: (name: string) => WeightStorage | undefined
  readonly attach?: (g: Graph, site: LinearSite, mode: Mode) => Adapter | undefined
  /** 'evaluate' if absent. */
  readonly mode?: Mode
  readonly trainable?: (name: string) => { learningRateScale: number } | undefined
}

interface AdaptedScope extends ModelScope {
  readonly taps: ReadonlyMap<string, Value>
  adapter(layer: string): Adapter | undefined
}

export function createScope(
  g: Graph,
  specs: ReadonlyMap<string, WeightSpec>,
  { maxPositions, attach, mode = 'evaluate', ...kept }: ScopeOptions,
): AdaptedScope {
  const weight = createWeights(g, specs, kept)
  const adapters = new Map<string, Adapter | undefined>()
  const taps = new Map<string, Value>()

  function adapter(layer: string): Adapter | undefined {
    if (!adapters.has(layer)) {
      const site = siteOf(layer, specs.get(`${layer}.weight`)!, weight)
      adapters.set(layer, site && attach?.(g, site, mode))
    }
    return adapters.get(layer)
  }

  const product = (name: string, x: Value): Value =>
    adapter(name)?.forward(x) ?? g.matMulT(x, weight(`${name}.weight`))

  return {
    g,
    maxPositions,
    taps,
    weight,
    adapter,
    product,
    linear(name, x) {
      const y = product(name, x)
      return specs.has(`${name}.bias`) ? g.add(y, weight(`${name}.bias`)) : y
    },
    embedding: (name, ids) =>
      g.gatherRows(weight(`${name}.weight`), g.reshape(ids, [multiply(...ids.shape)])),
    tap(name, x) {
      taps.set(name, x)
      return x
    },
  }
}

/** Undefined for layers that methods do not adapt. */
function siteOf(
  name: string,
  { module, shape, layer = 0 }: WeightSpec,
  weight: (name: string) => Value,
): LinearSite | undefined {
  if (module === undefined) return undefined
  const [outFeatures, inFeatures] = shape as [number, number]
  return { name, module, layer, weight: weight(`${name}.weight`), inFeatures, outFeatures }
}

/** Each weight once: a parameter if it is trained, otherwise an input or stored data. */
function createWeights(
  g: Graph,
  specs: ReadonlyMap<string, WeightSpec>,
  { storage, trainable }: Pick<ScopeOptions, 'storage' | 'trainable'>,
) {
  const weights = new Map<string, Value>()
  return (name: string): Value => {
    const known = weights.get(name)
    if (known) return known
    const shape = specs.get(name)?.shape
    if (!shape) throw new Error(`internal: the architecture did not declare the weight "${name}"`)
    const training = trainable?.(name)
    const kept = storage?.(name)
    const frozen = () => (kept ? g.stored(name, shape, kept) : g.input(name, g.float, shape))
    const value = training ? g.parameter(name, shape, training) : frozen()
    weights.set(name, value)
    return value
  }
}
