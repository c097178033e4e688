/** @file Writes a Llama as a GGUF file: metadata, weights in ggml's names and row order, tokenizer and template along. */
import { TouchstoneError } from '../errors.ts'
import { rotaryOf, type DecoderFields } from './families/decoder-config.ts'
import { ggufName, permuted, ROTARY_FACTORS, rotaryHeads } from './gguf-names.ts'
import { tokenizerFields } from './gguf-tokenizer-write.ts'
import { writeGguf, type GgufField, type GgufTensorToWrite } from './gguf-write.ts'
import { rotaryFrequencies } from './layers.ts'
import type { ModelSources } from './model-sources.ts'
import type { Model } from './registry.ts'

export type GgufForm = 'F16' | 'Q8_0'

export interface GgufModelToWrite {
  /** Where tokenizer and template come from. */
  readonly path: string
  readonly sources: ModelSources
  readonly model: Model
  readonly read: (name: string) => Float32Array
  readonly form: GgufForm
  readonly name: string
  /** Why these weights should have been deleted, if they should: it is written into the file. */
  readonly exception: string | null
}

export const EXCEPTION_KEY = 'touchstone.kept_although'

/** llama.cpp's numbers for the type of a whole file. */
const FILE_TYPES = { F16: 1, Q8_0: 7 } as const

export async function writeGgufModel(file: string, source: GgufModelToWrite): Promise<void> {
  const { path, sources, model, form } = source
  if (model.architecture.name !== 'llama') {
    throw unsupported(source, `the family ${model.architecture.name}`, 'the Llama family')
  }
  const config = configOf(model)
  const [template, licence] = [await sources.template(), await sources.licence()]
  const rows = model.weights.get('model.embed_tokens.weight')!.shape[0]!
  const metadata = new Map<string, GgufField>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: source.name }],
    ...(licence === null ? [] : [['general.license', { type: 'string', value: licence }] as const]),
    ['general.file_type', { type: 'u32', value: FILE_TYPES[form] }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ...(source.exception === null
      ? []
      : [[EXCEPTION_KEY, { type: 'string', value: source.exception }] as const]),
    ...shapeFields(config),
    ...tokenizerFields(path, await sources.tokenizer(), rows),
    ['tokenizer.chat_template', { type: 'string', value: template.text }],
  ])
  const factors = rotaryFactors(source, config)
  if (scalingKind(config) === 'linear') {
    const { factor = 1 } = rotaryOf(config).scaling!
    metadata.set('llama.rope.scaling.type', { type: 'string', value: 'linear' })
    metadata.set('llama.rope.scaling.factor', { type: 'f32', value: factor })
  }
  await writeGguf(file, metadata, [...(factors ? [factors] : []), ...tensorsOf(source, config)])
}

type LlamaConfig = DecoderFields & { num_key_value_heads: number; head_dim: number }

function configOf({ config }: Model): LlamaConfig {
  const fields = config as DecoderFields
  const heads = fields.num_attention_heads
  return {
    ...fields,
    num_key_value_heads: fields.num_key_value_heads ?? heads,
    head_dim: fields.head_dim ?? fields.hidden_size / heads,
  }
}

function shapeFields(c: LlamaConfig): [string, GgufField][] {
  const whole = (key: string, value: number): [string, GgufField] => [
    `llama.${key}`,
    { type: 'u32', value },
  ]
  const real = (key: string, value: number): [string, GgufField] => [
    `llama.${key}`,
    { type: 'f32', value },
  ]
  return [
    whole('block_count', c.num_hidden_layers),
    whole('context_length', c.max_position_embeddings),
    whole('embedding_length', c.hidden_size),
    whole('feed_forward_length', c.intermediate_size),
    whole('attention.head_count', c.num_attention_heads),
    whole('attention.head_count_kv', c.num_key_value_heads),
    whole('attention.key_length', c.head_dim),
    whole('attention.value_length', c.head_dim),
    whole('rope.dimension_count', c.head_dim),
    whole('vocab_size', c.vocab_size),
    real('attention.layer_norm_rms_epsilon', c.rms_norm_eps),
    real('rope.freq_base', rotaryOf(c).theta),
  ]
}

function scalingKind(c: LlamaConfig): string {
  const { scaling } = rotaryOf(c)
  return scaling?.rope_type ?? scaling?.type ?? 'default'
}

/** Llama 3's scaling is a tensor of divisors, `[head_dim / 2]`; linear scaling is two fields; others have no place in the file. */
function rotaryFactors(source: GgufModelToWrite, c: LlamaConfig): GgufTensorToWrite | undefined {
  const rotary = rotaryOf(c)
  const kind = scalingKind(c)
  if (kind === 'default' || kind === 'linear') return undefined
  if (kind !== 'llama3') throw unsupported(source, `rotary scaling ${kind}`, 'linear and llama3')
  const plain = rotaryFrequencies({ ...rotary, scaling: null })
  const scaled = rotaryFrequencies(rotary)
  const divisors = Float32Array.from(plain, (frequency, i) => frequency / scaled[i]!)
  const data = () => Promise.resolve(divisors)
  return { name: ROTARY_FACTORS, shape: [divisors.length], storage: 'F32', data }
}

const BLOCK = 32

/** Vectors stay float32, and rows that are no whole blocks float16, as llama.cpp's own converter does. */
function tensorsOf(source: GgufModelToWrite, config: LlamaConfig): GgufTensorToWrite[] {
  return [...source.model.weights.values()].map(({ name, shape }) => {
    const theirs = ggufName(name)
    if (theirs === undefined) throw unsupported(source, `the weight ${name}`, 'those of a Llama')
    const isWhole = source.form !== 'Q8_0' || shape.at(-1)! % BLOCK === 0
    const storage = shape.length === 1 ? 'F32' : isWhole ? source.form : 'F16'
    const heads = rotaryHeads(name, config)
    const data = () => {
      const values = source.read(name)
      return Promise.resolve(heads === undefined ? values : permuted(values, shape[0]!, heads))
    }
    return { name: theirs, shape, storage, data }
  })
}

const unsupported = ({ path }: GgufModelToWrite, found: string, supported: string) =>
  new TouchstoneError('export.unsupported', { path, form: 'GGUF', found, supported })
