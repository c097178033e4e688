/** @file The registry of model families, with look-ups by configuration and by GGUF file. */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { CacheLayer, Missing, ModelArchitecture, WeightSpec } from './architecture.ts'
import type { Checkpoint } from './checkpoint.ts'
import { requireKnownKeys, settingNotSupported } from './config-keys.ts'
import { bert } from './families/bert.ts'
import { denoiser } from './families/denoiser.ts'
import { distilbert } from './families/distilbert.ts'
import { gemma } from './families/gemma.ts'
import { granite } from './families/granite.ts'
import { gpt2 } from './families/gpt2.ts'
import { gptNeox } from './families/gpt-neox.ts'
import { llama } from './families/llama.ts'
import { mistral } from './families/mistral.ts'
import { olmo2 } from './families/olmo2.ts'
import { olmo3 } from './families/olmo3.ts'
import { phi3 } from './families/phi3.ts'
import { placeContrast } from './families/place-contrast.ts'
import { placeEncoder } from './families/place-encoder.ts'
import { pointMap } from './families/point-map.ts'
import { qwen } from './families/qwen.ts'
import { qwen3Moe } from './families/qwen3-moe.ts'
import { sceneReader } from './families/scene-reader.ts'
import { smollm3 } from './families/smollm3.ts'
import type { ModelFamily } from './family.ts'
import type { GgufFamily, GgufMetadata } from './formats/gguf/family.ts'
import { graphArchitecture } from './formats/onnx/architecture.ts'
import type { OwnGraph } from './formats/onnx/own-graph.ts'

/** In the order in which error messages list them. */
const FAMILIES: readonly ModelFamily[] = [
  llama,
  mistral,
  qwen,
  qwen3Moe,
  gemma,
  phi3,
  gpt2,
  gptNeox,
  olmo2,
  olmo3,
  granite,
  smollm3,
  bert,
  distilbert,
  denoiser,
  placeEncoder,
  sceneReader,
  placeContrast,
  pointMap,
].flat()

export const ARCHITECTURES: readonly ModelArchitecture<unknown>[] = FAMILIES.map(
  ({ architecture }) => architecture,
)

/** Distinct tables: Mistral shares Llama's. */
export const GGUF_FAMILIES: readonly GgufFamily[] = [
  ...new Set(FAMILIES.flatMap(({ gguf }) => gguf ?? [])),
]

/** The table of a GGUF file. Where two families share `general.architecture`, `isOf` decides. */
export function ggufFamilyOf(path: string, metadata: GgufMetadata): GgufFamily {
  const found = metadata.get('general.architecture')
  const tables = GGUF_FAMILIES.filter(({ architecture }) => architecture === found)
  const table =
    tables.find(({ isOf }) => isOf?.((key) => metadata.get(`${String(found)}.${key}`))) ??
    tables.find(({ isOf }) => !isOf)
  if (table) return table
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the GGUF architecture',
    found: String(found).slice(0, 100),
    supported: [...new Set(GGUF_FAMILIES.map(({ architecture }) => architecture))].join(', '),
  })
}

/** The table that writes models of this architecture as GGUF. */
export const ggufFamilyFor = ({ name }: ModelArchitecture): GgufFamily | undefined =>
  FAMILIES.find(({ architecture }) => architecture.name === name)?.gguf

/** An architecture with its parsed configuration and its weights. */
export interface Model {
  readonly architecture: ModelArchitecture<unknown>
  readonly config: unknown
  readonly weights: ReadonlyMap<string, WeightSpec>
  /** The checkpoint's own forward pass, if it has one. */
  readonly graph?: OwnGraph
}

/** The architecture registered for a configuration's `model_type`. */
export const architectureOf = ({ model_type: type }: Checkpoint['config']) =>
  ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(type))

export const isEncoder = ({ architecture }: Pick<Model, 'architecture'>): boolean =>
  architecture.kind === 'encoder'

/** The architecture of a checkpoint. Throws if it is not supported. */
export function recognise(
  checkpoint: Pick<Checkpoint, 'path' | 'config' | 'weights' | 'graph'> &
    Partial<Pick<Checkpoint, 'read'>>,
  missing: Missing = 'refuse',
): Model {
  const { path, config, graph } = checkpoint
  if (graph) {
    const weights = new Map(graph.weights.map(({ spec }) => [spec.name, spec]))
    return { architecture: graphArchitecture(graph), config, weights, graph }
  }
  const architecture = architectureOf(config)
  if (!architecture) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'the architecture',
      found: config.model_type,
      supported: ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes).join(', '),
    })
  }
  const parsed = architecture.config.safeParse(config)
  if (!parsed.success) {
    const unsupported = settingNotSupported(parsed.error, config, path)
    if (unsupported) throw unsupported
    throw new TouchstoneError('checkpoint.malformed', {
      path: `${path} (config.json)`,
      found: z.prettifyError(parsed.error).replaceAll('\n', ' '),
      expected: `a configuration of ${architecture.name}`,
    })
  }
  requireKnownKeys(config, architecture.config, path)
  const weights = architecture.weights(parsed.data, checkpoint.weights, path, missing)
  const model = {
    architecture,
    config: parsed.data,
    weights: new Map(weights.map((spec) => [spec.name, spec])),
  }
  return storesOtherHead(model, checkpoint) ? untied(model)! : model
}

/**
 * Whether a head lies in the file beside the embedding that it should be, and differs: transformers 5 then takes the file's
 * word, not that of config.json (modeling_utils.py, `tie_weights`).
 */
function storesOtherHead(
  { architecture, config, weights }: Model,
  { weights: found, read }: Pick<Checkpoint, 'weights'> & Partial<Pick<Checkpoint, 'read'>>,
): boolean {
  const tie = architecture.tie?.(config)
  if (!tie || !read || !found.has(tie.head)) return false
  const { name, stored = name } = weights.get(tie.embedding)!
  const embedding = read(stored)
  return read(tie.head).some((x, i) => x !== embedding[i])
}

/**
 * The same model with a head of its own, which begins as the embedding; undefined where it has one. Names of both are those of
 * `tie`.
 */
export function untied(model: Model): Model | undefined {
  const { architecture, weights } = model
  const config = model.config as Readonly<Record<string, unknown>>
  const tie = architecture.tie?.(config)
  if (!tie) return undefined
  const head: WeightSpec = {
    name: tie.head,
    shape: weights.get(tie.embedding)!.shape,
    kind: 'linear',
  }
  return {
    ...model,
    config: { ...config, tie_word_embeddings: false },
    weights: new Map([...weights, [head.name, head]]),
  }
}

/** The error for generating text with an encoder. */
export const cannotWrite = ({ name }: Pick<ModelArchitecture, 'name'>): TouchstoneError =>
  new TouchstoneError('model.encoder', { architecture: name })

/** Cache shape per layer. Throws for encoders. */
export function cacheOf({ architecture, config, weights }: Model): readonly CacheLayer[] {
  if (architecture.kind === 'encoder') throw cannotWrite(architecture)
  return architecture.attention(config, weights)
}

/** Class names of an encoder; undefined without a classification head. */
export const classesOf = ({
  architecture,
  config,
  weights,
}: Model): readonly string[] | undefined => architecture.classifier?.classes(config, weights)
