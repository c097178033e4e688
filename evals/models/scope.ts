/**
 * @file The interface between architectures and fine-tuning methods: gives weights to the one, lets the other adapt layers.
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { WeightStorage } from '../graph/storage/stored.ts'
import type { Value } from '../graph/value.ts'
import type {
  AttentionPlan,
  ForwardInput,
  ForwardOutput,
  ModelScope,
  WeightSpec,
} from './architecture.ts'
import type { Model } from './registry.ts'

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
  /** Of a mixture: each expert's share in the last `forward`, `[rows, experts]`. */
  shares?(): Value
}

/** Shares of experts by layer, `[rows, experts]`, from the final hidden states `[rows, hidden]` of the base alone. */
export type Gate = (g: Graph, hidden: Value, layers: readonly string[]) => (layer: string) => Value

/** In training an adapter may have inputs fed by the method (zeros by default); in evaluation it has none. */
export type Mode = 'train' | 'evaluate'

export interface ScopeOptions {
  readonly maxPositions: number
  /** Rows hold one text each, of which an encoder's head reads the first token; several (packing) if absent. */
  readonly oneText?: boolean | undefined
  /** How a frozen weight is stored, if not in the graph's float type. */
  readonly storage?: (name: string) => WeightStorage | undefined
  /** `shares` where there is a gate. */
  readonly attach?:
    ((g: Graph, site: LinearSite, mode: Mode, shares?: Value) => Adapter | undefined) | undefined
  /** With it the model runs twice: without adapters for the gate, then with them (`forwardPass`). */
  readonly gate?: Gate | undefined
  /** 'evaluate' if absent. */
  readonly mode?: Mode
  readonly trainable?: (name: string) => { learningRateScale: number } | undefined
}

interface AdaptedScope extends ModelScope {
  readonly taps: ReadonlyMap<string, Value>
  adapter(layer: string): Adapter | undefined
  /** Each expert's share in every mixture of the forward pass, by layer. */
  shares(): ReadonlyMap<string, Value>
  /** Of a gated model: the scope of the first pass, and what takes its final hidden states. */
  readonly gated?: { readonly plain: ModelScope; open(hidden: Value): void }
}

export function createScope(
  g: Graph,
  specs: ReadonlyMap<string, WeightSpec>,
  { maxPositions, attach, gate, mode = 'evaluate', ...kept }: ScopeOptions,
): AdaptedScope {
  const weight = createWeights(g, specs, kept)
  const adapters = new Map<string, Adapter | undefined>()
  const taps = new Map<string, Value>()
  let sharesOf: ReturnType<Gate> | undefined

  function adapter(layer: string): Adapter | undefined {
    if (!adapters.has(layer)) {
      const site = siteOf(layer, specs.get(`${layer}.weight`)!, weight)
      adapters.set(layer, site && attach?.(g, site, mode, sharesOf?.(layer)))
    }
    return adapters.get(layer)
  }

  const plainProduct = (name: string, x: Value): Value => g.matMulT(x, weight(`${name}.weight`))
  const shared = { g, specs, maxPositions, weight }
  return {
    ...scopeOf(shared, (name, x) => adapter(name)?.forward(x) ?? plainProduct(name, x), taps),
    taps,
    adapter,
    shares: () => sharesIn(adapters),
    ...(gate && {
      gated: {
        plain: scopeOf(shared, plainProduct),
        open: (hidden: Value) => void (sharesOf = gate(g, hidden, layersIn(specs))),
      },
    }),
  }
}

interface Shared extends Pick<ModelScope, 'g' | 'maxPositions' | 'weight'> {
  readonly specs: ReadonlyMap<string, WeightSpec>
}

/** @param taps where hidden states are registered; nowhere if absent */
const scopeOf = (
  { specs, ...shared }: Shared,
  product: ModelScope['product'],
  taps?: Map<string, Value>,
): ModelScope => ({
  ...shared,
  product,
  linear(name, x) {
    const y = product(name, x)
    return specs.has(`${name}.bias`) ? shared.g.add(y, shared.weight(`${name}.bias`)) : y
  },
  embedding: (name, ids) =>
    shared.g.gatherRows(
      shared.weight(`${name}.weight`),
      shared.g.reshape(ids, [multiply(...ids.shape)]),
    ),
  tap(name, x) {
    taps?.set(name, x)
    return x
  },
})

const sharesIn = (adapters: ReadonlyMap<string, Adapter | undefined>) =>
  new Map(
    [...adapters].flatMap(([layer, own]) => {
      const shares = own?.shares?.()
      return shares ? [[layer, shares] as const] : []
    }),
  )

/** Names of the layers that methods adapt, in the order of the checkpoint. */
const layersIn = (specs: ReadonlyMap<string, WeightSpec>): string[] =>
  [...specs.values()].flatMap(({ name, module }) =>
    module === undefined ? [] : name.slice(0, -'.weight'.length),
  )

/**
 * The model's forward pass. A gated one runs twice; its caches are those of the first pass, then those of the second, which read
 * nothing of each other.
 */
export function forwardPass(
  scope: AdaptedScope,
  { architecture, config }: Pick<Model, 'architecture' | 'config'>,
  input: ForwardInput,
): ForwardOutput {
  if (!scope.gated) return architecture.forward(scope, input, config)
  const [first, second] = halvesOf(input.attention)
  const before = architecture.forward(scope.gated.plain, { ...input, attention: first }, config)
  scope.gated.open(before.hiddenStates)
  const after = architecture.forward(scope, { ...input, attention: second }, config)
  return { ...after, present: [...before.present, ...after.present] }
}

function halvesOf(attention: AttentionPlan): [AttentionPlan, AttentionPlan] {
  if (!('past' in attention)) return [attention, attention]
  const { past } = attention
  const half = past.length / 2
  return [
    { ...attention, past: past.slice(0, half) },
    { ...attention, past: past.slice(half) },
  ]
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
