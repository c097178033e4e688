/**
 * @file Several adapters of one base made into one, layer by layer. Takes adapters whose change is s·B·A of the stored base alone:
 * no DoRA, no weights saved whole, no embeddings, biases or stacks of experts, no initialisation that moved the base.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { finiteNumbers } from '../../spectra/decomposition/matrix.ts'
import { randomStream } from '../../statistics/random.ts'
import { ALL_LINEAR, rankOf, rawStartOf, scaleOf } from '../../models/formats/peft-config.ts'
import type { PeftFolder, PeftTensor } from '../../models/formats/peft-folder.ts'
import type { Layer, Merged, Merging, MergeSettings, Part } from './merging.ts'

export interface Source {
  readonly path: string
  readonly folder: PeftFolder
  /** At least 0; a source of weight 0 takes no part. */
  readonly weight: number
}

export interface MergeRequest extends Omit<MergeSettings, 'random'> {
  readonly way: Merging
  readonly seed: number
  /** PEFT’s form of the way. */
  readonly peftCompat: boolean
  /** The sources are adapters of one base although they name two. */
  readonly sameBase: boolean
}

/** What the cut to a rank lost of one layer; null where the way defines factors alone. */
export interface MergedLayer {
  readonly name: string
  readonly rank: number
  readonly lost: number | null
}

/** Throws what merging them would throw of their forms, names and shapes, and of the ranks of the first layer. */
export function requireMergeable(sources: readonly Source[], request: MergeRequest): void {
  const { layers, merge } = opened(sources, request)
  layers.slice(0, 1).forEach((layer) => merge(layer))
}

export function mergeAdapters(sources: readonly Source[], request: MergeRequest) {
  const { base, layers: found, merge } = opened(sources, request)
  const tensors = new Map<string, PeftTensor>()
  const layers = found.map((layer): MergedLayer => {
    const merged = merge(layer)
    for (const [key, tensor] of tensorsOf(layer, merged)) tensors.set(key, tensor)
    return { name: layer.name, rank: merged.rank, lost: merged.lost }
  })
  return { folder: { config: configOf(sources, base, layers), tensors }, layers }
}

function opened(sources: readonly Source[], request: MergeRequest) {
  sources.forEach(requireLowRank)
  const base = baseOf(sources, request)
  const { way, peftCompat, seed } = request
  if (peftCompat && way.peft === null) {
    throw new TouchstoneError('merge.not-in-peft', { name: way.name })
  }
  const inWay = peftCompat ? way.peft!.merge : way.merge
  const merge = (layer: Layer): Merged => {
    const random = (label: string) => randomStream(seed, `merge ${layer.name} ${label}`)
    return inWay(layer, { ...request, random })
  }
  return { base, layers: layersOf(sources), merge }
}

/** LoRA of a linear layer. */
const PLAIN = /(?<!\.experts|\.base_layer)\.lora_[AB]\.weight$/u

function requireLowRank({ path, folder: { config, tensors, saved } }: Source): void {
  const refuse = (found: string) => {
    throw new TouchstoneError('merge.not-low-rank', { path, found })
  }
  if (config.useDora === true) refuse('DoRA, which scales rows of the base')
  if ((saved?.size ?? 0) > 0) refuse('weights that are saved whole (modules_to_save, bias)')
  const other = [...tensors.keys()].find((key) => !PLAIN.test(key))
  if (other !== undefined) refuse(`${other}, which is not LoRA of a linear layer`)
  if (rawStartOf(config, path).length > 0) {
    refuse(`initialisation ${String(config.initLoraWeights)}, which moved the base`)
  }
}

function baseOf(sources: readonly Source[], { sameBase }: MergeRequest): string {
  const [first, ...others] = sources
  const { base, fanInFanOut } = first!.folder.config
  for (const { path, folder } of others) {
    const { config } = folder
    if (config.base !== base && !sameBase) {
      const found = config.base || 'no base'
      const expected = `${base || 'no base'}, as ${first!.path} does`
      throw new TouchstoneError('merge.other-base', { path, found, expected })
    }
    if ((config.fanInFanOut ?? false) !== (fanInFanOut ?? false)) {
      const found = 'weights stored transposed (fan_in_fan_out), unlike the first adapter'
      throw new TouchstoneError('merge.not-low-rank', { path, found })
    }
  }
  return base
}

/** Every layer that an adapter changes with a weight above 0, in the order in which they are met. */
export function layersOf(sources: readonly Source[]): Layer[] {
  const layers = new Map<string, { rows: number; columns: number; parts: Part[] }>()
  for (const source of sources) {
    for (const [key, { shape }] of source.folder.tensors) {
      const name = /^(?<module>.+)\.lora_A\.weight$/u.exec(key)?.groups!.module
      if (name === undefined) continue
      const [rows, columns] = [lowerOf(source, name).shape[0]!, shape[1]!]
      const layer = layers.get(name) ?? { rows, columns, parts: [] }
      if (layer.rows !== rows || layer.columns !== columns) {
        throw new TouchstoneError('adapter.other-base', { path: source.path, module: name })
      }
      layers.set(name, layer)
      if (source.weight > 0) layer.parts.push(partOf(source, name))
    }
  }
  return [...layers].flatMap(([name, layer]) =>
    layer.parts.length === 0 ? [] : [{ name, ...layer }],
  )
}

const lowerOf = ({ folder }: Source, name: string) => folder.tensors.get(`${name}.lora_B.weight`)!

function partOf(source: Source, name: string): Part {
  const { config, tensors } = source.folder
  const numbers = ({ shape: [rows, columns], data }: PeftTensor, side: string) =>
    finiteNumbers({ rows: rows!, columns: columns!, data }, `${source.path}: ${name} ${side}`)
  return {
    weight: source.weight,
    scale: scaleOf(config, name),
    rank: rankOf(config, name),
    A: numbers(tensors.get(`${name}.lora_A.weight`)!, 'lora_A'),
    B: numbers(lowerOf(source, name), 'lora_B'),
  }
}

const tensorsOf = (
  { name, rows, columns }: Layer,
  { rank, A, B }: Merged,
): [string, PeftTensor][] => [
  [`${name}.lora_A.weight`, { shape: [rank, columns], data: Float32Array.from(A) }],
  [`${name}.lora_B.weight`, { shape: [rows, rank], data: Float32Array.from(B) }],
]

/** α = r in every layer, so that s = 1. */
function configOf(sources: readonly Source[], base: string, layers: readonly MergedLayer[]) {
  const rank = Math.max(...layers.map((layer) => layer.rank))
  const others = layers.filter((layer) => layer.rank !== rank)
  const pattern = Object.fromEntries(others.map(({ name, rank: own }) => [name, own]))
  const { fanInFanOut } = sources[0]!.folder.config
  return {
    base,
    rank,
    alpha: rank,
    targetModules: [ALL_LINEAR],
    rankPattern: pattern,
    alphaPattern: pattern,
    ...(fanInFanOut !== undefined && { fanInFanOut }),
  }
}
