/**
 * @file A decoder with a cache as one graph of standard ONNX operators, with Optimum's names: input_ids, attention_mask,
 * position_ids, past_key_values.N.key → logits, present.N.key.
 */
import { STANDALONE } from '../../../graph/op.ts'
import { createGraph, type Graph } from '../../../graph/ops/index.ts'
import type { Value } from '../../../graph/value.ts'
import type { KeyValue } from '../../architecture.ts'
import { ONNX_NAMES } from './io.ts'
import { cacheOf, type Model } from '../../registry.ts'
import { createScope } from '../../scope.ts'

const [BATCH, SEQ, PAST, TOTAL] = [
  'batch_size',
  'sequence_length',
  'past_sequence_length',
  'total_sequence_length',
] as const

export interface DecoderGraph {
  readonly g: Graph
  readonly outputs: Readonly<Record<string, Value>>
}

/** Weights are inputs of the graph, by their own names. logits `[batch, seq, vocab]`. */
export function decoderGraph(model: Model): DecoderGraph {
  const { architecture, config, weights } = model
  const g = createGraph(STANDALONE)
  const scope = createScope(g, weights, { maxPositions: architecture.maxPositions(config) })
  const whole = (name: string, length: string) =>
    g.cast(g.input(name, 'int64', [BATCH, length]), 'int32')
  const tokens = whole(ONNX_NAMES.tokens, SEQ)
  const mask = whole(ONNX_NAMES.mask, TOTAL)
  const positions = whole(ONNX_NAMES.positions, SEQ)
  const past = cacheOf(model).map(({ kvHeads, headDim }, layer): KeyValue => {
    const shape = [BATCH, kvHeads, PAST, headDim]
    const part = (name: 'key' | 'value') => g.input(ONNX_NAMES.past(layer, name), g.float, shape)
    return { keys: part('key'), values: part('value') }
  })
  const attention = { kind: 'appended', past, mask } as const
  const input = { tokens, positions, attention, batch: BATCH, seq: SEQ }
  const { hiddenStates, present } = architecture.forward(scope, input, config)
  const logits = architecture.logits(scope, hiddenStates, config)
  const caches = present.flatMap(({ keys, values }, layer) => [
    [ONNX_NAMES.present(layer, 'key'), keys] as const,
    [ONNX_NAMES.present(layer, 'value'), values] as const,
  ])
  const outputs = {
    [ONNX_NAMES.logits]: g.reshape(logits, [BATCH, SEQ, logits.shape[1]!]),
    ...Object.fromEntries(caches),
  }
  return { g, outputs }
}
