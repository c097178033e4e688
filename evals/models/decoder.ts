/**
 * @file The decoder loop: embed; per block x ← x + attention(x), x ← x + mlp(x); final norm. A family is a plan, which
 * names its parts; the parts (parts.ts) declare their own weights.
 */
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { ForwardInput, KeyValue, ModelArchitecture, ModelScope } from './architecture.ts'
import { attend, attentionBias, causalBlocks, queryBlocks } from './layers.ts'
import {
  checkedSpecs,
  headsOf,
  layersOf,
  prefixOf,
  type MlpPart,
  type NormPart,
  type ProjectionPart,
} from './parts.ts'
import { openRotary } from './rotary-tables.ts'
import { stretchesOf, stretchOf, type RotaryConfig } from './rotary.ts'
import { createWeightList, type WeightList } from './weight-list.ts'

/** Names of the norms before and after a branch, inside its block. */
interface BranchNorms {
  readonly before?: string
  readonly after?: string
}

interface AttentionPlanOfLayer {
  readonly rotary?: RotaryConfig
  /** Attention window in tokens, including the current one. */
  readonly window?: number
  /** Factor on the scores; 1/√headDim if absent. */
  readonly scale?: number
  readonly softcap?: number
}

export interface DecoderPlan {
  readonly hidden: number
  readonly layers: number
  readonly vocab: number
  readonly maxPositions: number
  readonly names: {
    /** Prefix that checkpoints of the bare model omit. */
    readonly prefix: string
    readonly embedding: string
    /** A table of learned positions, `[maxPositions, hidden]`. */
    readonly positions?: string
    readonly layers: string
    readonly finalNorm: string
    /** If absent, the embedding is the head. */
    readonly head?: string
  }
  readonly norm: NormPart
  readonly projections: ProjectionPart
  readonly mlp: MlpPart
  readonly attentionNorms: BranchNorms
  readonly mlpNorms: BranchNorms
  /** Attention and MLP both read the block's input (GPT-NeoX). */
  readonly parallel?: boolean
  readonly embeddingScale?: number
  /** Factor on what each branch adds. */
  readonly residualScale?: number
  /** Factor on the logits. */
  readonly logitScale?: number
  /** c of c·tanh(logit/c). */
  readonly logitCap?: number
  attention(layer: number): AttentionPlanOfLayer
}

interface DecoderFamily<C> extends Pick<ModelArchitecture<C>, 'name' | 'config'> {
  /** `[name]` if absent. */
  readonly modelTypes?: readonly string[]
  readonly plan: (config: C) => DecoderPlan
}

const normsOf = ({ attentionNorms: a, mlpNorms: m }: DecoderPlan): string[] =>
  [a.before, a.after, m.before, m.after].filter((name) => name !== undefined)

const times = (g: Graph, x: Value, factor = 1): Value =>
  factor === 1 ? x : g.mul(x, g.scalar(factor))

/** Builds an architecture from a family's plan. */
export function decoder<C>({ plan, ...family }: DecoderFamily<C>): ModelArchitecture<C> {
  return {
    modelTypes: [family.name],
    ...family,
    kind: 'decoder',
    weights(c, found, path) {
      const planned = plan(c)
      return declare(planned, createWeightList(found, path, planned.names.prefix))
    },
    forward: (scope, input, c) => run(scope, input, plan(c)),
    logits(scope, hidden, c) {
      const { names, logitCap, logitScale } = plan(c)
      const { g } = scope
      const scores =
        names.head === undefined
          ? g.matMulT(hidden, scope.weight(`${names.embedding}.weight`))
          : scope.linear(names.head, hidden)
      const logits = times(g, scores, logitScale)
      if (logitCap === undefined) return logits
      return g.mul(g.tanh(g.mul(logits, g.scalar(1 / logitCap))), g.scalar(logitCap))
    },
    attention: (c, weights) => headsOf(plan(c), weights),
    maxPositions: (c) => plan(c).maxPositions,
    tie(c) {
      const { names } = plan(c)
      const { head } = plan({ ...c, tie_word_embeddings: false }).names
      return names.head !== undefined || head === undefined
        ? undefined
        : { embedding: `${names.embedding}.weight`, head: `${head}.weight` }
    },
    experts: (c) => plan(c).mlp.experts,
    stretch: (c, longest) => stretchIn(plan(c), longest),
  }
}

/** Each layer's index grows with the text, so their sum is constant only where every one is. */
function stretchIn(plan: DecoderPlan, longest: number) {
  const found = layersOf(plan).flatMap((layer) => {
    const { rotary } = plan.attention(layer)
    return rotary ? [stretchesOf(rotary, longest)] : []
  })
  const own = found.filter(({ count }) => count > 1)
  if (own.length === 0) return undefined
  return (length: number) => own.reduce((sum, each) => sum + stretchOf(each, length), 0)
}

function declare(plan: DecoderPlan, list: WeightList) {
  const { names, hidden, vocab, norm, projections, mlp } = plan
  list.embedding(names.embedding, [vocab, hidden])
  if (names.positions) list.embedding(names.positions, [plan.maxPositions, hidden])
  norm.weights(list, names.finalNorm, hidden)
  if (names.head) list.linear(names.head, [vocab, hidden])
  for (const layer of layersOf(plan)) {
    const prefix = prefixOf(plan, layer)
    for (const name of normsOf(plan)) norm.weights(list, `${prefix}.${name}`, hidden)
    projections.weights(list, prefix, layer)
    mlp.weights(list, prefix, layer)
  }
  return checkedSpecs(plan, list)
}

function run(scope: ModelScope, input: ForwardInput, plan: DecoderPlan) {
  const { g } = scope
  const attention = openAttention(scope, input, plan)
  const asked = askedIn(g, input, plan)
  const block = (layer: number, x: Value): Value => {
    const prefix = prefixOf(plan, layer)
    const branch = (y: Value, { before, after }: BranchNorms, body: (z: Value) => Value) => {
      const normed = (name: string | undefined, z: Value) =>
        name === undefined ? z : plan.norm.apply(scope, `${prefix}.${name}`, z)
      return times(g, normed(after, body(normed(before, y))), plan.residualScale)
    }
    const attended = branch(x, plan.attentionNorms, (y) => attention.apply(prefix, layer, y))
    const from = asked(layer, x)
    const middle = g.add(from, attended)
    const seen = plan.parallel ? from : middle
    const mixed = branch(seen, plan.mlpNorms, (y) => plan.mlp.apply(scope, prefix, y))
    return scope.tap(`${prefix}.output`, g.add(middle, mixed))
  }
  const x = layersOf(plan).reduce(
    (y, layer) => g.segment(() => block(layer, y)),
    embed(scope, input, plan),
  )
  const hiddenStates = plan.norm.apply(scope, plan.names.finalNorm, x)
  return { hiddenStates, present: attention.present }
}

function embed(scope: ModelScope, input: ForwardInput, plan: DecoderPlan): Value {
  const { g } = scope
  const { names, embeddingScale } = plan
  const words = input.embeddings ?? scope.embedding(names.embedding, input.tokens!)
  const scaled = times(g, words, embeddingScale)
  return names.positions ? g.add(scaled, scope.embedding(names.positions, input.positions)) : scaled
}

/** After the attention of the last layer, the rows of the tokens that are asked. */
const askedIn =
  (g: Graph, { asked }: ForwardInput, { layers }: DecoderPlan) =>
  (layer: number, x: Value): Value =>
    asked && layer === layers - 1 ? g.gatherRows(x, asked) : x

/** Attention layer by layer; masks and rotary tables are shared between layers. */
function openAttention(scope: ModelScope, input: ForwardInput, plan: DecoderPlan) {
  const { g } = scope
  const once = memo()
  const asked = askedIn(g, input, plan)
  const present: KeyValue[] = []
  const positions = Math.min(scope.maxPositions, plan.maxPositions)
  return {
    present,
    apply(prefix: string, layer: number, x: Value): Value {
      const heads = plan.projections.heads(prefix, (name) => scope.weight(name).shape)
      const { rotary, window, ...rest } = plan.attention(layer)
      const turned =
        rotary &&
        once(`rotary ${JSON.stringify(rotary)}`, () => openRotary(g, rotary, positions, input))
      // A window as wide as the longest text masks nothing.
      const narrow = window !== undefined && window < positions ? window : undefined
      const { kind } = input.attention
      const blocks = kind === 'packed' ? queryBlocks(positions) : 1
      const bias =
        kind === 'cached' || kind === 'paged'
          ? []
          : once(`bias ${narrow}`, () => causalBlocks(g, attentionBias(g, input, narrow), blocks))
      const qkv = plan.projections.apply(scope, prefix, x)
      const own = { ...heads, ...rest, rotary: turned, bias, window: narrow }
      const attended = attend(g, qkv, input, own, layer)
      if (attended.present) present.push(attended.present)
      return plan.projections.output(scope, prefix, asked(layer, attended.output))
    },
  }
}

function memo() {
  const made = new Map<string, unknown>()
  return <T>(key: string, make: () => T): T => {
    if (!made.has(key)) made.set(key, make())
    return made.get(key) as T
  }
}
