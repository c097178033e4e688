/**
 * @file Describes the model or adapter at a path from headers and small files, and lists everything that would be refused. One
 * broken part does not hide the others.
 */
import { join } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { full } from '../finetune/methods/full.ts'
import { lora } from '../finetune/methods/lora.ts'
import { openChatTemplate } from '../models/text/chat-template.ts'
import type { Checkpoint } from '../models/checkpoint.ts'
import type { StoredWeight } from '../models/weights/storage.ts'
import { exists } from '../files/read-file.ts'
import { sourcesOf, type ModelSources } from '../models/model-sources.ts'
import { rawStartOf, scaleOf } from '../models/formats/peft-config.ts'
import { peftDigest, readPeftIndex } from '../models/formats/peft-folder.ts'
import { architectureOf, classesOf, isEncoder, recognise, type Model } from '../models/registry.ts'
import { elementsOfAll } from '../models/weights/stored-weights.ts'
import { describeTokenizer, specialTokens } from '../models/text/tokenizer.ts'
import { usualBytes } from '../audit/plan/usual-memory.ts'

/** Weights that differ only in the number of their layer: `model.layers.*.mlp.up_proj.weight`. */
export interface ModuleFacts {
  readonly name: string
  readonly shape: readonly number[]
  readonly storage: string
  readonly count: number
}

interface WeightFacts {
  /** Null if no architecture here reads it. */
  readonly architecture: string | null
  readonly modelType: string
  readonly layers: number
  readonly parameters: number
  readonly bytes: number
  readonly storage: readonly { readonly type: string; readonly bytes: number }[]
  readonly modules: readonly ModuleFacts[]
  readonly maxPositions: number | null
  /** Classes of an encoder's head: null for a causal model, empty without a head. */
  readonly classes: readonly string[] | null
  /** Peak bytes of training on eight rows of 128 tokens; null if no architecture here reads it. */
  readonly memory: { readonly lora: number; readonly full: number } | null
}

interface TokenizerFacts {
  readonly vocabulary: number
  readonly digest: string
  readonly special: Readonly<Record<string, string>>
  readonly endIds: readonly number[]
}

interface TemplateFacts {
  readonly source: string
  readonly digest: string
  readonly example: string
}

export interface ModelInspection {
  readonly kind: 'model'
  readonly format: Checkpoint['format']
  readonly weights: WeightFacts | null
  readonly tokenizer: TokenizerFacts | null
  readonly template: TemplateFacts | null
  readonly licence: string | null
  /** sha256 of the weights if requested, because it reads all of them. */
  readonly digest: string | null
  readonly problems: readonly TouchstoneError[]
}

export interface AdapterInspection {
  readonly kind: 'adapter'
  readonly base: string
  readonly form: 'LoRA' | 'rsLoRA' | 'DoRA'
  readonly rank: number
  readonly alpha: number
  /** For modules that no pattern names. */
  readonly scale: number
  readonly targetModules: readonly string[]
  readonly parameters: number
  readonly bytes: number
  readonly modules: readonly ModuleFacts[]
  readonly digest: string | null
  /** What makes it differ from the trained model, for people. */
  readonly warnings: readonly string[]
}

export type Inspection = ModelInspection | AdapterInspection

export async function inspect(path: string, withDigest = false): Promise<Inspection> {
  const isModel = await exists(join(path, 'config.json'))
  if (!isModel && (await exists(join(path, 'adapter_config.json')))) {
    return inspectAdapter(path, withDigest)
  }
  return inspectModel(path, withDigest)
}

/** Throws only if there is no model. */
export async function inspectModel(path: string, withDigest = false): Promise<ModelInspection> {
  const sources = await sourcesOf(path)
  const met: (TouchstoneError | undefined)[] = []
  const attempt = async <T>(part: number, action: () => Promise<T>): Promise<T | null> => {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof TouchstoneError)) throw error
      met[part] = error as TouchstoneError
      return null
    }
  }
  const checkpoint = await attempt(0, () => sources.checkpoint())
  try {
    const model = checkpoint && (await attempt(1, async () => recognise(checkpoint)))
    const isWithoutTemplate =
      checkpoint !== null && architectureOf(checkpoint.config)?.kind === 'encoder'
    // The template's thread starts while the tokenizer is being read.
    const [template, tokenizer] = await Promise.all([
      isWithoutTemplate ? null : attempt(3, () => templateFacts(sources)),
      attempt(2, () => tokenizerFacts(sources)),
    ])
    return {
      kind: 'model',
      format: sources.format,
      weights: checkpoint && weightFacts(checkpoint, model),
      tokenizer,
      template,
      licence: await sources.licence(),
      digest: checkpoint && withDigest ? await checkpoint.digest() : null,
      problems: met.filter((problem) => problem !== undefined),
    }
  } finally {
    await checkpoint?.close()
  }
}

function weightFacts({ config, weights }: Checkpoint, model: Model | null): WeightFacts {
  const stored = [...weights.values()]
  const used = model ? [...model.weights.values()] : stored
  const parameters = elementsOfAll(used)
  const byType = Map.groupBy(stored, ({ storage }) => storage)
  const layers = stored.flatMap(({ name }) => LAYER.exec(name)?.[1] ?? [])
  return {
    architecture: model?.architecture.name ?? null,
    modelType: config.model_type,
    layers: new Set(layers).size,
    parameters,
    bytes: bytesOf(stored),
    storage: [...byType].map(([type, of]) => ({ type, bytes: bytesOf(of) })),
    modules: modulesOf(stored),
    maxPositions: model?.architecture.maxPositions(model.config) ?? null,
    classes: model && isEncoder(model) ? (classesOf(model) ?? []) : null,
    memory: model && {
      lora: usualBytes(model, lora),
      full: usualBytes(model, full),
    },
  }
}

/** The first number between dots; experts have a further one. */
const LAYER = /\.(\d+)\./u
const bytesOf = (stored: readonly StoredWeight[]) =>
  stored.reduce((sum, { bytes }) => sum + bytes, 0)

/** Ordered by name; layers of a pruned model are separate if their shapes differ. */
function modulesOf(stored: readonly StoredWeight[]): ModuleFacts[] {
  const named = stored.map(({ name, shape, storage }) => ({
    shape,
    storage,
    name: name.replaceAll(/(?<=\.)\d+(?=\.)/gu, '*'),
  }))
  const alike = Map.groupBy(named, (each) => JSON.stringify(each))
  return [...alike.values()]
    .map((each) => ({ ...each[0]!, count: each.length }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

async function tokenizerFacts(sources: ModelSources): Promise<TokenizerFacts> {
  const source = await sources.tokenizer()
  const { vocabSize, digest, endIds } = describeTokenizer(source)
  return {
    vocabulary: vocabSize,
    digest,
    endIds,
    special: specialTokens(source.tokenizerConfig),
  }
}

const EXAMPLE = [{ role: 'user', content: 'When is breakfast?' }]

async function templateFacts(sources: ModelSources): Promise<TemplateFacts> {
  const template = await openChatTemplate(await sources.template())
  try {
    const { source, digest } = template
    return {
      source,
      digest,
      example: await template.render(EXAMPLE, { addGenerationPrompt: true }),
    }
  } finally {
    await template.close()
  }
}

async function inspectAdapter(path: string, withDigest: boolean): Promise<AdapterInspection> {
  const { config, weights } = await readPeftIndex(path)
  const stored = [...weights].map(([name, weight]) => ({ ...weight, name }))
  const { base, rank, alpha, targetModules, useDora, useRslora } = config
  return {
    kind: 'adapter',
    base,
    rank,
    alpha,
    targetModules,
    form: useDora ? 'DoRA' : useRslora ? 'rsLoRA' : 'LoRA',
    scale: scaleOf(config, ''),
    parameters: elementsOfAll(stored),
    bytes: bytesOf(stored),
    modules: modulesOf(stored),
    digest: withDigest ? await peftDigest(path) : null,
    warnings: rawStartOf(config, path),
  }
}
