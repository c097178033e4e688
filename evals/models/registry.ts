/** @file Every architecture. */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { CacheLayer, Missing, ModelArchitecture, WeightSpec } from './architecture.ts'
import type { Checkpoint } from './checkpoint.ts'
import { bert, roberta } from './families/bert.ts'
import { distilbert } from './families/distilbert.ts'
import { gemma, gemma2, gemma3 } from './families/gemma.ts'
import { gpt2 } from './families/gpt2.ts'
import { gptNeox } from './families/gpt-neox.ts'
import { llama } from './families/llama.ts'
import { mistral, mixtral } from './families/mistral.ts'
import { olmo2 } from './families/olmo2.ts'
import { phi3 } from './families/phi3.ts'
import { qwen2, qwen3 } from './families/qwen.ts'
import { smollm3 } from './families/smollm3.ts'
import { graphArchitecture } from './formats/onnx/architecture.ts'
import type { OwnGraph } from './formats/onnx/own-graph.ts'

/** Forgets the configuration's type; sound as long as an architecture is given only what its own schema has parsed. */
const any = <C>(architecture: ModelArchitecture<C>) =>
  architecture as unknown as ModelArchitecture<unknown>

export const ARCHITECTURES: readonly ModelArchitecture<unknown>[] = [
  any(llama),
  any(mistral),
  any(qwen2),
  any(qwen3),
  any(gemma),
  any(gemma2),
  any(gemma3),
  any(phi3),
  any(gpt2),
  any(gptNeox),
  any(olmo2),
  any(smollm3),
  any(mixtral),
  any(bert),
  any(roberta),
  any(distilbert),
]

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
