/**
 * @file Low-rank experts side by side on one linear layer: y = x·Wᵀ + s·Σ_i w_i·(x·A_iᵀ)·B_iᵀ with shares w of each token. All
 * experts have one rank; A `[experts·rank, in]` and B `[out, experts·rank]` hold them one after another.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Initialiser } from '../../graph/builder.ts'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { rankOf, rawStartOf, scaleOf } from '../../models/formats/peft-config.ts'
import {
  readPeftFolder,
  type PeftFolder,
  type PeftTensor,
} from '../../models/formats/peft-folder.ts'
import type { Adapter, LinearSite } from '../../models/scope.ts'
import type { Site } from '../method.ts'

interface ExpertShape {
  readonly count: number
  readonly rank: number
  /** s, for every expert. */
  readonly scale: number
}

interface Start {
  readonly A: Initialiser
  readonly B: Initialiser
  /** 0 freezes them. */
  readonly learningRateScale: number
}

const nameOfA = (layer: string) => `${layer}.experts_A`
const nameOfB = (layer: string) => `${layer}.experts_B`

/** @param sharesOf `[rows, experts]` of the layer's input x `[rows, in]` */
export function mixtureOf(
  g: Graph,
  { name, weight: W, inFeatures, outFeatures }: LinearSite,
  { count, rank, scale }: ExpertShape,
  start: Start,
  sharesOf: (x: Value) => Value,
): Adapter {
  const { learningRateScale } = start
  const A = g.parameter(nameOfA(name), [count * rank, inFeatures], {
    initialiser: start.A,
    learningRateScale,
  })
  const B = g.parameter(nameOfB(name), [outFeatures, count * rank], {
    initialiser: start.B,
    learningRateScale,
  })
  let shares: Value | undefined
  return {
    forward(x) {
      shares = sharesOf(x)
      const rows = x.shape[0]!
      const inner = g.reshape(g.matMulT(x, A), [rows, count, rank])
      const weighed = g.mul(inner, g.reshape(g.mul(shares, g.scalar(scale)), [rows, count, 1]))
      const update = g.matMulT(g.reshape(weighed, [rows, count * rank]), B)
      return g.add(g.matMulT(x, W), update)
    },
    weight() {
      throw new Error('internal: a mixture of experts has no weight of its own')
    },
    shares: () => shares!,
  }
}

/**
 * Adapters as experts of one rank, each with its own s in B, narrower ones filled with zeros. Every layer that an adapter changes
 * must be a site of its shape.
 */
export async function expertsFrom(
  paths: readonly string[],
  { sites, isMixed, rank }: Mixed,
): Promise<Map<string, Float32Array>> {
  const folders = await Promise.all(paths.map((path) => readPeftFolder(path)))
  folders.forEach((folder, i) => {
    requireFits(folder, paths[i]!, { sites, isMixed, rank })
  })
  const own = sites.filter(({ name }) => isMixed(name))
  return new Map(own.flatMap((site) => stackedAt(site, folders, rank)))
}

interface Mixed {
  readonly sites: readonly Site[]
  /** Whether the mixture has a layer. */
  readonly isMixed: (layer: string) => boolean
  readonly rank: number
}

function requireFits(
  { config, tensors, saved }: PeftFolder,
  path: string,
  { sites, isMixed, rank }: Mixed,
): void {
  const refuse = (found: string) => {
    throw new TouchstoneError('mixture.expert', { path, found })
  }
  if (config.useDora === true) refuse('DoRA, which scales rows of the base')
  if ((saved?.size ?? 0) > 0) refuse('weights that are saved whole (modules_to_save)')
  if (rawStartOf(config, path).length > 0) refuse('a start that moved the base')
  for (const [key, { data, shape }] of tensors) {
    if (!/\.lora_[AB]\.weight$/u.test(key)) refuse(`${key}, which is no matrix of a linear layer`)
    const layer = key.replace(/\.lora_[AB]\.weight$/u, '')
    const site = sites.find(({ name }) => name === layer)
    const own = rankOf(config, layer)
    const fits = key.endsWith('A.weight') ? [own, site?.inFeatures] : [site?.outFeatures, own]
    if (shape.join() !== fits.join())
      throw new TouchstoneError('adapter.other-base', { path, module: layer })
    if (!isMixed(layer)) refuse(`a change of ${layer}, which --target-modules leaves out`)
    if (own > rank) refuse(`rank ${own} in ${layer}, more than the ${rank} of this mixture`)
    if (!data.every(Number.isFinite)) refuse(`numbers in ${key} that are not finite`)
  }
}

function stackedAt(
  { name, inFeatures, outFeatures }: Site,
  folders: readonly PeftFolder[],
  rank: number,
): [string, Float32Array][] {
  const width = folders.length * rank
  const [A, B] = [new Float32Array(width * inFeatures), new Float32Array(outFeatures * width)]
  folders.forEach(({ config, tensors }, i) => {
    const [a, b] = ['A', 'B'].map((side) => tensors.get(`${name}.lora_${side}.weight`)?.data)
    if (!a || !b) return
    A.set(a, i * rank * inFeatures)
    const [own, scale] = [rankOf(config, name), scaleOf(config, name)]
    for (let row = 0; row < outFeatures; row++)
      for (let r = 0; r < own; r++) B[row * width + i * rank + r] = scale * b[row * own + r]!
  })
  return [
    [nameOfA(name), A],
    [nameOfB(name), B],
  ]
}

type Tensors = ReadonlyMap<string, PeftTensor>

/** Each expert as an adapter with s = `scale`, of the layers in which it is not zero. */
export function expertFolders(
  tensors: Tensors,
  { count, rank, scale }: ExpertShape,
  base: string,
): PeftFolder[] {
  const layers = [...tensors.keys()].flatMap(
    (key) => /^(?<layer>.+)\.experts_A$/u.exec(key)?.[1] ?? [],
  )
  return Array.from({ length: count }, (_, i) => ({
    config: { base, rank, alpha: rank * scale, targetModules: ['all-linear'] },
    tensors: new Map(layers.flatMap((layer) => expertAt(tensors, layer, i, { count, rank }))),
  }))
}

function expertAt(
  tensors: Tensors,
  layer: string,
  i: number,
  { count, rank }: Pick<ExpertShape, 'count' | 'rank'>,
): [string, PeftTensor][] {
  const [all, whole] = [tensors.get(nameOfA(layer))!, tensors.get(nameOfB(layer))!]
  const [columns, rows] = [all.shape[1]!, whole.shape[0]!]
  const A = all.data.slice(i * rank * columns, (i + 1) * rank * columns)
  const B = new Float32Array(rows * rank)
  for (let row = 0; row < rows; row++)
    for (let r = 0; r < rank; r++) B[row * rank + r] = whole.data[(row * count + i) * rank + r]!
  return [
    [`${layer}.lora_A.weight`, { shape: [rank, columns], data: A }],
    [`${layer}.lora_B.weight`, { shape: [rows, rank], data: B }],
  ]
}
