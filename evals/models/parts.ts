/** @file The parts of a family's plan: norms, attention projections, MLPs. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { multiply } from '../graph/shape.ts'
import type { Dim, Value } from '../graph/value.ts'
import type { CacheLayer, Experts, ModelScope, WeightSpec } from './architecture.ts'
import type { WeightList } from './weight-list.ts'

/** Shapes by weight name, from specs or from a graph. */
type ShapeOf = (name: string) => readonly unknown[]

export interface NormPart {
  weights(list: WeightList, name: string, size: number): void
  /** x `[rows, size]` → `[rows, size]`. */
  apply(scope: ModelScope, name: string, x: Value): Value
}

export interface QueryKeyValue {
  readonly q: Value
  readonly k: Value
  readonly v: Value
}

export interface ProjectionPart {
  weights(list: WeightList, prefix: string, layer: number): void
  /** Head counts of the block; an error that names `path` if they do not divide. */
  heads(prefix: string, shapeOf: ShapeOf, path?: string): CacheLayer
  /** x `[rows, hidden]` → q `[rows, heads·headDim]`, k and v `[rows, kvHeads·headDim]`, before rotary positions. */
  apply(scope: ModelScope, prefix: string, x: Value): QueryKeyValue
  /** concatenated heads `[rows, heads·headDim]` → `[rows, hidden]`. */
  output(scope: ModelScope, prefix: string, mixed: Value): Value
}

export interface MlpPart {
  readonly experts?: Experts
  weights(list: WeightList, prefix: string, layer: number): void
  /** x `[rows, hidden]` → `[rows, hidden]`. */
  apply(scope: ModelScope, prefix: string, x: Value): Value
}

/** The part of a plan that its blocks follow from. */
interface BlockPlan {
  readonly layers: number
  readonly names: { readonly layers: string }
  readonly projections: ProjectionPart
}

/** Name prefix of a block, without the last dot. */
export const prefixOf = ({ names }: BlockPlan, layer: number) => `${names.layers}.${layer}`
export const layersOf = ({ layers }: BlockPlan) => Array.from({ length: layers }, (_, i) => i)

/** Head counts of each block; an error that names `path` if they do not divide. */
export const headsOf = (plan: BlockPlan, specs: ReadonlyMap<string, WeightSpec>, path?: string) =>
  layersOf(plan).map((layer) =>
    plan.projections.heads(prefixOf(plan, layer), (name) => specs.get(name)!.shape, path),
  )

/** The declared weights. Head counts that do not divide are an error before any weight is read. */
export function checkedSpecs(plan: BlockPlan, list: WeightList): WeightSpec[] {
  const specs = list.specs()
  headsOf(plan, new Map(specs.map((spec) => [spec.name, spec])), list.path)
  return specs
}

/** y = x·w/√(mean(x²) + ε); Gemma stores w − 1. */
export const rmsNorm = (
  epsilon: number,
  { stored = 'w' }: { stored?: 'w' | 'w-1' } = {},
): NormPart => ({
  weights: (list, name, size) => list.norm(name, size),
  apply({ g, weight }, name, x) {
    const w = weight(`${name}.weight`)
    return g.rmsNorm(x, stored === 'w' ? w : g.add(w, g.scalar(1)), epsilon)
  },
})

/** y = w·(x − μ)/√(var(x) + ε) + b. */
export const layerNorm = (epsilon: number): NormPart => ({
  weights: (list, name, size) => list.norm(name, size, { biased: true }),
  apply: ({ g, weight }, name, x) =>
    g.layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), epsilon),
})

interface SeparateOptions {
  readonly hidden: number
  readonly headDim: number
  readonly biased?: boolean
  readonly outputBiased?: boolean
  /** Norm of q and k per head (Qwen3, Gemma 3) or whole (OLMo 2), before rotary positions. */
  readonly queryKeyNorm?: { readonly over: 'head' | 'whole'; readonly norm: NormPart }
  /** Inside the block; Llama's if absent. */
  readonly names?: Readonly<Record<'q' | 'k' | 'v' | 'output', string>>
}

const LLAMA_NAMES = {
  q: 'self_attn.q_proj',
  k: 'self_attn.k_proj',
  v: 'self_attn.v_proj',
  output: 'self_attn.o_proj',
}

/** Separate matrices for q, k, v and the output. Head counts follow from the rows, since a pruned model's layers differ. */
export function separateProjections(options: SeparateOptions): ProjectionPart {
  const { hidden, headDim, biased = false, outputBiased = biased, queryKeyNorm } = options
  const { names = LLAMA_NAMES } = options
  const norms = { q: 'self_attn.q_norm', k: 'self_attn.k_norm' }
  const normed = (scope: ModelScope, name: string, x: Value): Value => {
    if (!queryKeyNorm) return x
    const { over, norm } = queryKeyNorm
    if (over === 'whole') return norm.apply(scope, name, x)
    const [rows, width] = x.shape as [Dim, number]
    const each = scope.g.reshape(x, [multiply(rows, width / headDim), headDim])
    return scope.g.reshape(norm.apply(scope, name, each), x.shape)
  }
  return {
    weights(list, prefix, layer) {
      const inner = { biased, layer, made: hidden }
      const [queries] = list.linear(`${prefix}.${names.q}`, [null, hidden], inner)
      const [keys] = list.linear(`${prefix}.${names.k}`, [null, hidden], inner)
      list.linear(`${prefix}.${names.v}`, [keys!, hidden], { biased, layer })
      list.linear(`${prefix}.${names.output}`, [hidden, queries!], { biased: outputBiased, layer })
      const size = (rows: number) => (queryKeyNorm?.over === 'head' ? headDim : rows)
      queryKeyNorm?.norm.weights(list, `${prefix}.${norms.q}`, size(queries!))
      queryKeyNorm?.norm.weights(list, `${prefix}.${norms.k}`, size(keys!))
    },
    heads(prefix, shapeOf, path) {
      const rows = (name: string) => shapeOf(`${prefix}.${name}.weight`)[0] as number
      const found = { heads: rows(names.q) / headDim, kvHeads: rows(names.k) / headDim, headDim }
      return wholeHeads(found, `${prefix}: ${lastOf(names.q)} and ${lastOf(names.k)}`, path)
    },
    apply(scope, prefix, x) {
      const linear = (name: string) => scope.linear(`${prefix}.${name}`, x)
      const [q, k] = [linear(names.q), linear(names.k)]
      return {
        q: normed(scope, `${prefix}.${norms.q}`, q),
        k: normed(scope, `${prefix}.${norms.k}`, k),
        v: linear(names.v),
      }
    },
    output: (scope, prefix, mixed) => scope.linear(`${prefix}.${names.output}`, mixed),
  }
}

const lastOf = (name: string) => name.slice(name.lastIndexOf('.') + 1)

function wholeHeads(found: CacheLayer, name: string, path = 'The model'): CacheLayer {
  const { heads, kvHeads, headDim } = found
  const whole = Number.isInteger(heads) && Number.isInteger(kvHeads) && heads % kvHeads === 0
  if (whole && headDim % 2 === 0) return found
  throw new TouchstoneError('checkpoint.weight-shape', {
    path,
    name,
    found: `${heads} and ${kvHeads} heads of ${headDim}`,
    expected: 'whole heads of an even size, the query heads a multiple of the key heads',
  })
}

interface FusedOptions {
  readonly hidden: number
  readonly heads: number
  /** `heads` if absent. */
  readonly kvHeads?: number
  /** `hidden / heads` if absent. */
  readonly headDim?: number
  /** Names inside the block. */
  readonly input: string
  readonly output: string
  readonly biased?: boolean
  readonly transposed?: boolean
  /** Row order: all q, all k, all v; or q, k, v per head (GPT-NeoX). */
  readonly order: 'parts' | 'heads'
}

/** One matrix for q, k and v. */
export function fusedProjections(options: FusedOptions): ProjectionPart {
  const { hidden, heads, input, output, biased = false, transposed, order } = options
  const { kvHeads = heads, headDim = hidden / heads } = options
  const widths = [heads * headDim, kvHeads * headDim, kvHeads * headDim] as const
  const rows = widths[0] + widths[1] + widths[2]
  return {
    weights(list, prefix, layer) {
      const linear = { biased, layer, ...(transposed && { transposed }) }
      list.linear(`${prefix}.${input}`, [rows, hidden], linear)
      list.linear(`${prefix}.${output}`, [hidden, widths[0]], linear)
    },
    heads: (prefix, _, path) => wholeHeads({ heads, kvHeads, headDim }, `${prefix}.${input}`, path),
    apply({ g, linear }, prefix, x) {
      const fused = linear(`${prefix}.${input}`, x)
      const parts = order === 'parts' ? splitColumns : splitHeads
      const [q, k, v] = parts(g, fused, widths, headDim)
      return { q, k, v } as QueryKeyValue
    },
    output: (scope, prefix, mixed) => scope.linear(`${prefix}.${output}`, mixed),
  }
}

type Split = (
  g: ModelScope['g'],
  x: Value,
  widths: readonly number[],
  headDim: number,
) => readonly Value[]

/** x `[rows, Σ widths]` → one `[rows, width]` each. */
const splitColumns: Split = (g, x, widths) => {
  let start = 0
  return widths.map((width) => g.slice(x, 1, start, (start += width)))
}

/** x `[rows, heads·3·headDim]` → q, k, v `[rows, heads·headDim]`. */
const splitHeads: Split = (g, x, [width], headDim) => {
  const each = g.reshape(x, [x.shape[0]!, width! / headDim, 3, headDim])
  return [0, 1, 2].map((part) => g.reshape(g.slice(each, 2, part, part + 1), [x.shape[0]!, width!]))
}

type Activation = 'silu' | 'gelu' | 'geluTanh'

/** Activation in config.json → operator. */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
}

interface GatedOptions {
  readonly hidden: number
  readonly activation: Activation
  readonly biased?: boolean
}

/** down(act(gate·x) ⊙ up·x), three matrices. */
export const gatedMlp = ({ hidden, activation, biased = false }: GatedOptions): MlpPart => ({
  weights(list, prefix, layer) {
    const options = { biased, layer }
    const [width] = list.linear(`${prefix}.mlp.gate_proj`, [null, hidden], options)
    list.linear(`${prefix}.mlp.up_proj`, [width!, hidden], options)
    list.linear(`${prefix}.mlp.down_proj`, [hidden, width!], options)
  },
  apply({ g, linear }, prefix, x) {
    const gate = g[activation](linear(`${prefix}.mlp.gate_proj`, x))
    return linear(`${prefix}.mlp.down_proj`, g.gated(gate, linear(`${prefix}.mlp.up_proj`, x)))
  },
})

/** `gatedMlp` with gate and up in one matrix, the gate's rows first (Phi-3). */
export const fusedGatedMlp = (options: GatedOptions & { readonly width: number }): MlpPart => ({
  weights(list, prefix, layer) {
    const { hidden, width } = options
    list.linear(`${prefix}.mlp.gate_up_proj`, [2 * width, hidden], { layer })
    list.linear(`${prefix}.mlp.down_proj`, [hidden, width], { layer })
  },
  apply({ g, linear }, prefix, x) {
    const { width, activation } = options
    const both = linear(`${prefix}.mlp.gate_up_proj`, x)
    const gate = g[activation](g.slice(both, 1, 0, width))
    return linear(`${prefix}.mlp.down_proj`, g.gated(gate, g.slice(both, 1, width, 2 * width)))
  },
})

interface PlainOptions {
  readonly hidden: number
  readonly activation: Activation
  readonly width: number
  /** Names inside the block. */
  readonly up: string
  readonly down: string
  readonly transposed?: boolean
}

/** down(act(up·x + b)) + c, two matrices. */
export const plainMlp = (options: PlainOptions): MlpPart => ({
  weights(list, prefix, layer) {
    const { hidden, width, up, down, transposed } = options
    const linear = { biased: true, layer, ...(transposed && { transposed }) }
    list.linear(`${prefix}.${up}`, [width, hidden], linear)
    list.linear(`${prefix}.${down}`, [hidden, width], linear)
  },
  apply({ g, linear }, prefix, x) {
    const { up, down, activation } = options
    return linear(`${prefix}.${down}`, g[activation](linear(`${prefix}.${up}`, x)))
  },
})

interface ExpertsOptions extends GatedOptions {
  readonly experts: Experts
  readonly chosen: number
  /** Whether the chosen experts' shares sum to 1 (Mixtral); otherwise they are shares among all. */
  readonly normed?: boolean
}

/**
 * Mixture of experts: y = Σ_e p_e(x)·expert_e(x), with p the softmax over the `chosen` largest router logits, or over all, and 0
 * elsewhere. Every expert processes every token, which is slow for large models.
 */
export function expertsMlp(options: ExpertsOptions): MlpPart {
  const { hidden, activation, experts, chosen, normed = true } = options
  const { count, gate, up, down } = experts
  const block = (prefix: string) => `${prefix}.${experts.block}`
  const indices = Array.from({ length: count }, (_, e) => e)
  const shares = ({ g }: ModelScope, router: Value) => {
    const among = g.amongLargest(router, chosen)
    return normed
      ? g.softmax(g.where(among, router, g.scalar(-1e9)))
      : g.where(among, g.softmax(router), g.scalar(0))
  }
  return {
    experts,
    weights(list: WeightList, prefix, layer) {
      list.linear(`${block(prefix)}.gate`, [count, hidden], { layer, fixed: true })
      for (const e of indices) {
        const name = `${block(prefix)}.experts.${e}`
        const [width] = list.linear(`${name}.${gate}`, [null, hidden], { layer })
        list.linear(`${name}.${up}`, [width!, hidden], { layer })
        list.linear(`${name}.${down}`, [hidden, width!], { layer })
      }
    },
    apply(scope, prefix, x) {
      const { g, linear } = scope
      const weighed = shares(scope, linear(`${block(prefix)}.gate`, x))
      return indices
        .map((e) => {
          const name = `${block(prefix)}.experts.${e}`
          const bent = g[activation](linear(`${name}.${gate}`, x))
          const y = linear(`${name}.${down}`, g.gated(bent, linear(`${name}.${up}`, x)))
          return g.mul(y, g.slice(weighed, 1, e, e + 1))
        })
        .reduce((sum, y) => g.add(sum, y))
    },
  }
}

/** One part in some layers and another in the rest. */
export function eitherMlp(
  isSparse: (layer: number) => boolean,
  sparse: MlpPart,
  dense: MlpPart,
): MlpPart {
  const partOf = (layer: number) => (isSparse(layer) ? sparse : dense)
  return {
    ...(sparse.experts && { experts: sparse.experts }),
    weights: (list, prefix, layer) => partOf(layer).weights(list, prefix, layer),
    apply: (scope, prefix, x) =>
      partOf(Number(prefix.slice(prefix.lastIndexOf('.') + 1))).apply(scope, prefix, x),
  }
}
