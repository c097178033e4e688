/**
 * @file The encoder loop: embed and norm; per block x ← norm(x + attention(x)), x ← norm(x + mlp(x)), with bidirectional
 * attention. A family is a plan of the same parts as decoders (parts.ts) and a head on the first token.
 */
import type { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { multiply } from '../graph/shape.ts'
import type { Value } from '../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope, WeightSpec } from './architecture.ts'
import type { WeightIndex } from './weights/storage.ts'
import type { HeadPart } from './encoder-heads.ts'
import { attend, attentionBias, blocksOf } from './layers.ts'
import {
  checkedSpecs,
  headsOf,
  layersOf,
  prefixOf,
  type MlpPart,
  type NormPart,
  type ProjectionPart,
} from './parts.ts'
import { createWeightList, type WeightList } from './weight-list.ts'

export interface EncoderPlan {
  readonly hidden: number
  readonly layers: number
  readonly vocab: number
  /** Rows of the learned position table, and the row of the first token (RoBERTa: the one after padding's). */
  readonly positionRows: number
  readonly firstPosition: number
  /** Rows of the token-type table; 0 if there is none. */
  readonly tokenTypes: number
  readonly names: {
    /** Prefix that checkpoints of the bare model omit. */
    readonly prefix: string
    readonly embeddings: string
    readonly layers: string
    /** Inside the block, after attention and after the MLP. */
    readonly attentionNorm: string
    readonly mlpNorm: string
  }
  readonly norm: NormPart
  readonly projections: ProjectionPart
  readonly mlp: MlpPart
  readonly head: HeadPart
  /** Class names from `config.json`, in the order of the logits. */
  readonly classes: readonly string[]
  /** Whether `architectures` names a model with this head; undefined if it names none. */
  readonly namesHead: boolean | undefined
}

interface EncoderFamily<C> {
  /** Also its `model_type`. */
  readonly name: string
  /** The transformers class with the head. */
  readonly className: string
  readonly config: z.ZodType<C>
  readonly plan: (config: C) => EncoderPlan
}

const outputOf = ({ output }: HeadPart) => `${output}.weight`

/** Builds an architecture from a family's plan. */
export function encoder<C>({ plan, className, ...family }: EncoderFamily<C>): ModelArchitecture<C> {
  return {
    ...family,
    modelTypes: [family.name],
    kind: 'encoder',
    states: 'first',
    weights(c, found, path, missing) {
      const planned = plan(c)
      const list = createWeightList(found, path, planned.names.prefix, missing)
      return declare(planned, list, hasHead(planned, found) || missing === 'make-head')
    },
    forward: (scope, input, c) => ({ hiddenStates: run(scope, input, plan(c)), present: [] }),
    logits: (scope, hidden, c) => plan(c).head.apply(scope, hidden),
    classifier: {
      className,
      classes(c, weights) {
        const { head, classes } = plan(c)
        return weights.has(outputOf(head)) ? classes : undefined
      },
      output: (c) => outputOf(plan(c).head),
      owns: (name, c) => plan(c).head.owns(name),
    },
    attention: (c, weights) => headsOf(plan(c), weights),
    maxPositions(c) {
      const { positionRows, firstPosition } = plan(c)
      return positionRows - firstPosition
    },
  }
}

/** A model for another task may have a weight of the same name, so `architectures` takes precedence. */
const hasHead = ({ namesHead, head }: EncoderPlan, found: WeightIndex): boolean =>
  namesHead ?? found.has(outputOf(head))

function declare(plan: EncoderPlan, list: WeightList, withHead: boolean): WeightSpec[] {
  const { names, hidden, norm, projections, mlp } = plan
  list.embedding(`${names.embeddings}.word_embeddings`, [plan.vocab, hidden])
  list.embedding(`${names.embeddings}.position_embeddings`, [plan.positionRows, hidden])
  if (plan.tokenTypes > 0)
    list.embedding(`${names.embeddings}.token_type_embeddings`, [plan.tokenTypes, hidden])
  norm.weights(list, `${names.embeddings}.LayerNorm`, hidden)
  for (const layer of layersOf(plan)) {
    const prefix = prefixOf(plan, layer)
    projections.weights(list, prefix, layer)
    norm.weights(list, `${prefix}.${names.attentionNorm}`, hidden)
    mlp.weights(list, prefix, layer)
    norm.weights(list, `${prefix}.${names.mlpNorm}`, hidden)
  }
  if (withHead) declareHead(plan, list)
  return checkedSpecs(plan, list)
}

function declareHead({ head, classes, hidden }: EncoderPlan, list: WeightList): void {
  if (classes.length < 2) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path: list.path,
      what: 'a classification head with',
      found: `${classes.length} class`,
      supported: 'two classes or more',
    })
  }
  head.weights(list, hidden, classes.length)
}

/** Hidden states of every token, `[batch*seq, hidden]`, or of the asked ones, `[batch, hidden]`: the last block reads all, for these alone. */
function run(scope: ModelScope, input: ForwardInput, plan: EncoderPlan): Value {
  const { g } = scope
  const { names, norm, projections, mlp } = plan
  const { attention, asked } = input
  const blocks = attention.kind === 'bidirectional' ? (attention.blocks ?? 1) : 1
  const whole = attentionBias(g, input)
  const { batch, seq } = input
  const usual = { read: (x: Value) => x, bias: blocksOf(g, whole, blocks), queries: seq }
  const last = asked && {
    read: (x: Value) => g.gatherRows(x, asked),
    bias: [
      g.reshape(g.gatherRows(g.reshape(whole, [multiply(batch, seq), seq]), asked), [
        batch,
        1,
        1,
        1,
        seq,
      ]),
    ],
    queries: 1,
  }
  const block = (layer: number, x: Value): Value => {
    const prefix = prefixOf(plan, layer)
    const { read, ...asking } = layer === plan.layers - 1 && last ? last : usual
    const heads = projections.heads(prefix, (name) => scope.weight(name).shape)
    const { q, k, v } = projections.apply(scope, prefix, x)
    const seen = { ...heads, ...asking, rotary: undefined, window: undefined }
    const { output } = attend(g, { q: read(q), k, v }, input, seen, layer)
    const mixed = projections.output(scope, prefix, output)
    const middle = norm.apply(scope, `${prefix}.${names.attentionNorm}`, g.add(read(x), mixed))
    const after = g.add(middle, mlp.apply(scope, prefix, middle))
    return scope.tap(`${prefix}.output`, norm.apply(scope, `${prefix}.${names.mlpNorm}`, after))
  }
  return layersOf(plan).reduce(
    (x, layer) => g.segment(() => block(layer, x)),
    embed(scope, input, plan),
  )
}

/** norm(word + position + token type). */
function embed(scope: ModelScope, input: ForwardInput, plan: EncoderPlan): Value {
  const { g } = scope
  const { names, firstPosition, tokenTypes } = plan
  const table = (name: string, ids: Value) => scope.embedding(`${names.embeddings}.${name}`, ids)
  const whole = (value: number, shape: readonly number[]) => g.constant([value], 'int32', shape)
  const words = input.embeddings ?? table('word_embeddings', input.tokens!)
  const places =
    firstPosition === 0 ? input.positions : g.add(input.positions, whole(firstPosition, []))
  const placed = g.add(words, table('position_embeddings', places))
  // Without token types every token belongs to the first text.
  const types = input.tokenTypes ?? whole(0, [1, 1])
  const typed = tokenTypes === 0 ? placed : g.add(placed, table('token_type_embeddings', types))
  return plan.norm.apply(scope, `${names.embeddings}.LayerNorm`, typed)
}
