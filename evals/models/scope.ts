/**
 * @file The interface between architectures and fine-tuning methods: gives weights to the one, lets the other adapt layers.
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { WeightStorage } from '../graph/stored.ts'
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

export interface ScopeOptions {
  readonly maxPositions: number
  /** How a frozen weight is stored, if not in the graph's float type. */
  readonly storage?: (name: string) => WeightStorage | undefined
  readonly attach?: (site: LinearSite) => Adapter | undefined
  readonly trainable?: (name: string) => { learningRateScale: number } | undefined
}

export function createScope(
  g: Graph,
  specs: ReadonlyMap<string, WeightSpec>,
  { maxPositions, storage, attach, trainable }: ScopeOptions,
): ModelScope & {
  readonly taps: ReadonlyMap<string, Value>
  adapter(layer: string): Adapter | undefined
} {
  const weights = new Map<string, Value>()
  const adapters = new Map<string, Adapter | undefined>()
  const taps = new Map<string, Value>()

  function weight(name: string): Value {
    const known = weights.get(name)
    if (known) return known
    const spec = specs.get(name)
    if (!spec)
      throw new Error(
        `internal: the architecture asks for a weight "${name}" that it did not declare`,
      )
    const training = trainable?.(name)
    const kept = storage?.(name)
    const frozen = () =>
      kept ? g.stored(name, spec.shape, kept) : g.input(name, g.float, spec.shape)
    const value = training ? g.parameter(name, spec.shape, training) : frozen()
    weights.set(name, value)
    return value
  }

  function adapter(layer: string): Adapter | undefined {
    if (!adapters.has(layer)) {
      const spec = specs.get(`${layer}.weight`)!
      const [outFeatures, inFeatures] = spec.shape as [number, number]
      const site =
        spec.module === undefined
          ? undefined
          : {
              name: layer,
              module: spec.module,
              layer: spec.layer ?? 0,
              weight: weight(spec.name),
              inFeatures,
              outFeatures,
            }
      adapters.set(layer, site && attach?.(site))
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
    embedding(name, ids) {
      const table = weight(`${name}.weight`)
      return g.gatherRows(table, g.reshape(ids, [multiply(...ids.shape)]))
    },
    tap(name, x) {
      taps.set(name, x)
      return x
    },
  }
}
