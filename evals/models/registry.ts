/** @file Every family of models: which architecture a configuration means, and which table a GGUF file. */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { CacheLayer, Missing, ModelArchitecture, WeightSpec } from './architecture.ts'
import type { Checkpoint } from './checkpoint.ts'
import { bert } from './families/bert.ts'
import { distilbert } from './families/distilbert.ts'
import { gemma } from './families/gemma.ts'
import { gpt2 } from './families/gpt2.ts'
import { gptNeox } from './families/gpt-neox.ts'
import { llama } from './families/llama.ts'
import { mistral } from './families/mistral.ts'
import { olmo2 } from './families/olmo2.ts'
import { phi3 } from './families/phi3.ts'
import { qwen } from './families/qwen.ts'
import { smollm3 } from './families/smollm3.ts'
import type { ModelFamily } from './family.ts'
import type { GgufFamily, GgufMetadata } from './formats/gguf/family.ts'
import { graphArchitecture } from './formats/onnx/architecture.ts'
import type { OwnGraph } from './formats/onnx/own-graph.ts'

/** In the order in which they are listed to users. */
const FAMILIES: readonly ModelFamily[] = [
  llama,
  mistral,
  qwen,
  gemma,
  phi3,
  gpt2,
  gptNeox,
  olmo2,
  smollm3,
  bert,
  distilbert,
].flat()

export const ARCHITECTURES: readonly ModelArchitecture<unknown>[] = FAMILIES.map(
  ({ architecture }) => architecture,
)

/** Each table once: Mistral shares Llama's. */
export const GGUF_FAMILIES: readonly GgufFamily[] = [
  ...new Set(FAMILIES.flatMap(({ gguf }) => gguf ?? [])),
]

/** The table of a GGUF file. Two may share `general.architecture`: then `isOf` picks the one that has it. */
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

/** The table by which models of this architecture are written as GGUF. */
export const ggufFamilyFor = ({ name }: ModelArchitecture): GgufFamily | undefined =>
  FAMILIES.find(({ architecture }) => architecture.name === name)?.gguf

/** An architecture with its configuration parsed and its weights found. */
export interface Model {
  readonly architecture: ModelArchitecture<unknown>
  readonly config: unknown
  readonly weights: ReadonlyMap<string, WeightSpec>
  /** The file that is its forward pass, where it brings its own. */
  readonly graph?: OwnGraph
}

/** The architecture registered for a configuration's `model_type`. */
export const architectureOf = ({ model_type: type }: Checkpoint['config']) =>
  ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(type))

export const isEncoder = ({ architecture }: Pick<Model, 'architecture'>): boolean =>
  architecture.kind === 'encoder'

/** The architecture that reads this checkpoint, or an error that says what was found. */
export function recognise(
  checkpoint: Pick<Checkpoint, 'path' | 'config' | 'weights' | 'graph'>,
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
    throw new TouchstoneError('checkpoint.malformed', {
      path: `${path} (config.json)`,
      found: z.prettifyError(parsed.error).replaceAll('\n', ' '),
      expected: `a configuration of ${architecture.name}`,
    })
  }
  const weights = architecture.weights(parsed.data, checkpoint.weights, path, missing)
  return {
    architecture,
    config: parsed.data,
    weights: new Map(weights.map((spec) => [spec.name, spec])),
  }
}

/** What every wish for a text meets that is made of an encoder. */
export const cannotWrite = ({ name }: Pick<ModelArchitecture, 'name'>): TouchstoneError =>
  new TouchstoneError('model.encoder', { architecture: name })

/** What a cache holds, per layer, of a model that writes. */
export function cacheOf({ architecture, config, weights }: Model): readonly CacheLayer[] {
  if (architecture.kind === 'encoder') throw cannotWrite(architecture)
  return architecture.attention(config, weights)
}

/** The names of the classes that an encoder's head tells apart; undefined where it has no head. */
export const classesOf = ({
  architecture,
  config,
  weights,
}: Model): readonly string[] | undefined => architecture.classifier?.classes(config, weights)
