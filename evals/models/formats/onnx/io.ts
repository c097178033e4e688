/** @file Inputs and outputs of a decoder's graph, by Optimum's names or by those in genai_config.json. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { FileValue, GraphFile } from '../../../graph/import/graph-file.ts'
import type { CacheLayer } from '../../architecture.ts'

export const ONNX_NAMES = {
  tokens: 'input_ids',
  mask: 'attention_mask',
  positions: 'position_ids',
  logits: 'logits',
  past: (layer: number | string, part: 'key' | 'value') => `past_key_values.${layer}.${part}`,
  present: (layer: number | string, part: 'key' | 'value') => `present.${layer}.${part}`,
} as const

export interface CachePort {
  readonly past: string
  readonly present: string
}

export interface DecoderPorts {
  readonly tokens: FileValue
  readonly mask: FileValue | undefined
  readonly positions: FileValue | undefined
  /** Keys and values per layer; empty for a graph without a cache. */
  readonly layers: readonly (CacheLayer & {
    readonly keys: CachePort
    readonly values: CachePort
  })[]
  readonly logits: string
  readonly vocab: number
}

/** Patterns with `%d` for the layer's number. */
export interface PortNames {
  readonly tokens: string
  readonly mask: string
  readonly positions: string
  readonly logits: string
  readonly pastKeys: string
  readonly pastValues: string
  readonly presentKeys: string
  readonly presentValues: string
  /** Head size, for graphs that leave it symbolic. */
  readonly headSize?: number | undefined
}

export const OPTIMUM: PortNames = {
  ...ONNX_NAMES,
  pastKeys: ONNX_NAMES.past('%d', 'key'),
  pastValues: ONNX_NAMES.past('%d', 'value'),
  presentKeys: ONNX_NAMES.present('%d', 'key'),
  presentValues: ONNX_NAMES.present('%d', 'value'),
}

export function portsOf(graph: GraphFile, names: PortNames = OPTIMUM): DecoderPorts {
  const { path } = graph
  const inputs = new Map(graph.inputs.map((value) => [value.name, value]))
  const outputs = new Map(graph.outputs.map((value) => [value.name, value]))
  const tokens = inputs.get(names.tokens)
  const logits = outputs.get(names.logits)
  if (!tokens) throw wrong(path, `the inputs ${list(inputs)}`, `"${names.tokens}"`)
  const vocab = logits?.dims.at(-1)
  if (logits?.dims.length !== 3 || typeof vocab !== 'number')
    throw wrong(path, `the outputs ${list(outputs)}`, `"${names.logits}" of a known width`)
  const layers = layersOf(path, names, inputs, outputs)
  const optional = { mask: inputs.get(names.mask), positions: inputs.get(names.positions) }
  const known = new Set([tokens, optional.mask, optional.positions].map((port) => port?.name))
  layers.forEach(({ keys, values }) => known.add(keys.past).add(values.past))
  const other = [...inputs.values()].find(({ name }) => !known.has(name))
  if (other) throw wrong(path, `the further input "${other.name}"`, 'none')
  const whole = [tokens, optional.mask, optional.positions].filter((port) => port !== undefined)
  const odd = whole.find(({ dtype, dims }) => !isWhole(dtype) || dims.length !== 2)
  if (odd) throw wrong(path, `"${odd.name}" in ${odd.dtype}`, 'int64 or int32 [batch, tokens]')
  return { tokens, ...optional, layers, logits: names.logits, vocab }
}

const isWhole = (dtype: FileValue['dtype']) => dtype === 'int64' || dtype === 'int32'
const LARGEST_LAYERS = 1024

function layersOf(
  path: string,
  names: PortNames,
  inputs: ReadonlyMap<string, FileValue>,
  outputs: ReadonlyMap<string, FileValue>,
): DecoderPorts['layers'] {
  const layers: DecoderPorts['layers'][number][] = []
  while (layers.length < LARGEST_LAYERS) {
    const at = (pattern: string) => pattern.replace('%d', String(layers.length))
    const keys = { past: at(names.pastKeys), present: at(names.presentKeys) }
    const values = { past: at(names.pastValues), present: at(names.presentValues) }
    const found = inputs.get(keys.past)
    if (!found) break
    const [, kvHeads, , said] = found.dims
    const headDim = typeof said === 'number' ? said : names.headSize
    for (const { past, present } of [keys, values]) {
      const port = inputs.get(past)
      if (port?.dtype !== 'float32' || port.dims.join() !== found.dims.join())
        throw wrong(path, `"${past}" in ${port?.dtype ?? 'no form'}`, 'float32, as its keys')
      if (!outputs.has(present)) throw wrong(path, `no "${present}"`, `what "${past}" becomes`)
    }
    if (typeof kvHeads !== 'number' || typeof headDim !== 'number' || found.dims.length !== 4)
      throw wrong(path, `"${keys.past}" [${found.dims.join(', ')}]`, '[batch, heads, past, size]')
    layers.push({ heads: kvHeads, kvHeads, headDim, keys, values })
  }
  return layers
}

const list = (ports: ReadonlyMap<string, unknown>) =>
  [...ports.keys()].slice(0, 8).join(', ') || 'none'

const wrong = (path: string, found: string, expected: string) =>
  new TouchstoneError('onnx.not-a-decoder', { path, found, expected })
