/**
 * @file Cuts heads and channels out of a gated decoder: the groups of each layer, their importance by magnitude, and the smaller
 * model. A group of attention is a head of keys and values with the heads of queries that read it; a group of the MLP is a channel.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { isBlockName } from '../graph/storage/blocks.ts'
import { fitsNf4 } from '../graph/storage/nf4.ts'
import type { WeightSpec } from '../models/architecture.ts'
import type { Model } from '../models/registry.ts'
import {
  dequantise,
  LazyWeights,
  quantise,
  smallOf,
  type SmallWeight,
} from '../models/weights/small-weights.ts'
import type { CutModel, KeptChannels } from './method.ts'

const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const
const MLP = ['gate_proj', 'up_proj', 'down_proj'] as const
const MODULES = [...ATTENTION, ...MLP]
/** Modules of which columns belong to groups; of the others rows do. */
export const READING: ReadonlySet<string> = new Set(['o_proj', 'down_proj'])

/** Matrices of which equally many consecutive channels belong to each group. */
export interface Groups {
  readonly count: number
  readonly members: readonly {
    readonly layer: string
    readonly shape: readonly [number, number]
    readonly side: 'rows' | 'columns'
    /** Channels of a group: consecutive rows or columns. */
    readonly width: number
  }[]
}

/** Attention and MLP of each block, in order; throws `training.not-separable` for a family of other parts. */
export function groupsOf({ architecture, config, weights }: Model, method: string): Groups[] {
  const refuse = (why: string) => new TouchstoneError('training.not-separable', { method, why })
  const blocks = Map.groupBy(
    [...weights.values()].filter(({ module }) => module !== undefined),
    ({ layer }) => layer!,
  )
  const heads = architecture.kind === 'decoder' ? architecture.attention(config, weights) : []
  if (blocks.size === 0 || blocks.size !== heads.length)
    throw refuse('it is not a decoder whose layers are known')
  return [...blocks.values()].flatMap((specs, block) => {
    const found = new Map(specs.map((spec) => [spec.name.split('.').at(-2)!, spec]))
    if (specs.length !== MODULES.length || !MODULES.every((module) => found.has(module)))
      throw refuse(`its layers are ${[...found.keys()].join(', ')}`)
    requirePlainNorms(weights, found.get('q_proj')!, refuse)
    const { kvHeads } = heads[block]!
    const inner = found.get('gate_proj')!.shape[0]!
    const of = (modules: readonly string[], count: number): Groups => ({
      count,
      members: modules.map((module) => memberOf(found.get(module)!, module, count)),
    })
    return [of(ATTENTION, kvHeads), of(MLP, inner)]
  })
}

function memberOf({ name, shape }: WeightSpec, module: string, count: number) {
  const side = READING.has(module) ? ('columns' as const) : ('rows' as const)
  const channels = side === 'rows' ? shape[0]! : shape[1]!
  const layer = name.slice(0, -'.weight'.length)
  return { layer, shape: shape as [number, number], side, width: channels / count }
}

/** A norm over all heads together would see others gone. */
function requirePlainNorms(
  weights: Model['weights'],
  { name, shape }: WeightSpec,
  refuse: (why: string) => TouchstoneError,
): void {
  const norm = weights.get(name.replace('q_proj', 'q_norm'))
  if (norm && norm.shape[0] === shape[0]) throw refuse('it norms all heads together')
}

/** Σ w² of each group over its matrices. */
export function magnitudes(
  { count, members }: Groups,
  weight: (name: string) => Float32Array,
): Float64Array {
  const sums = new Float64Array(count)
  for (const { layer, shape, side, width } of members) {
    const W = weight(`${layer}.weight`)
    for (let i = 0; i < W.length; i++) {
      const channel = side === 'rows' ? Math.floor(i / shape[1]) : i % shape[1]
      sums[Math.floor(channel / width)]! += W[i]! ** 2
    }
  }
  return sums
}

/** Indices of all groups but the `gone` lowest, ascending; of equal ones the earlier go first. */
export function highest(scores: ArrayLike<number>, gone: number): number[] {
  const order = Array.from({ length: scores.length }, (_, i) => i)
  order.sort((a, b) => scores[a]! - scores[b]! || a - b)
  return order.slice(gone).sort((a, b) => a - b)
}

/** The channels that kept groups leave of each layer. */
export const keptChannels = (
  { members, count }: Groups,
  kept: readonly number[],
): (readonly [string, KeptChannels])[] =>
  kept.length === count
    ? []
    : members.map(({ layer, shape, side, width }) => {
        const channels = kept.flatMap((group) =>
          Array.from({ length: width }, (_, i) => group * width + i),
        )
        return [layer, { whole: shape, [side]: channels }]
      })

/** What is kept of a weight, or of a bias as a matrix of one column. */
export function keptOf(
  { name, kind }: Pick<WeightSpec, 'name' | 'kind'>,
  kept: CutModel['kept'],
): KeptChannels | undefined {
  const found = kept.get(name.replace(/\.(?:weight|bias)$/u, ''))
  return kind === 'bias' && found
    ? { ...found, whole: [found.whole[0], 1], columns: undefined }
    : found
}

/** Share of the numbers of the blocks' linear layers that is gone. */
export function goneShare({ weights }: Pick<Model, 'weights'>, kept: CutModel['kept']): number {
  let [left, all] = [0, 0]
  for (const { name, shape, module } of weights.values()) {
    if (module === undefined) continue
    const whole = shape[0]! * shape[1]!
    const part = kept.get(name.slice(0, -'.weight'.length))
    const [rows, columns] = part ? sizesOf(part) : shape
    all += whole
    left += rows! * columns!
  }
  return 1 - left / all
}

/** The model of the kept channels; without `weights` it has none. What the base keeps small is kept small again, from the values kept. */
export function cutTo(
  { model, weights = new Map() }: Pick<CutModel, 'model'> & Partial<Pick<CutModel, 'weights'>>,
  kept: CutModel['kept'],
): CutModel {
  const own = new Map<string, Float32Array>()
  const small = new Map<string, SmallWeight>()
  const specs = new Map<string, WeightSpec>()
  const stored = smallOf(weights)
  for (const spec of model.weights.values()) {
    const { name } = spec
    const part = keptOf(spec, kept)
    specs.set(name, {
      ...spec,
      shape: part ? sizesOf(part).slice(0, spec.shape.length) : spec.shape,
    })
    const held = stored?.get(name)
    const data = held ? undefined : weights.get(name)
    if (held) small.set(name, part ? pickedSmall(held, part) : held)
    else if (data) own.set(name, part ? picked(data, part) : data)
  }
  const all =
    small.size === 0 ? own : new LazyWeights(specs.keys(), small, (name) => own.get(name)!)
  return { model: { ...model, weights: specs }, weights: all, kept }
}

/** Quantised again from the kept numbers of what it stands for; a part of ggml's blocks, or without whole ones of NF4, is in float16. */
function pickedSmall(held: SmallWeight, part: KeptChannels): SmallWeight {
  const sizes = sizesOf(part)
  const isOther = isBlockName(held.storage) || (held.storage === 'nf4' && !fitsNf4(sizes))
  const storage = isOther ? 'float16' : held.storage
  return quantise(picked(dequantise(held), part), sizes[0], storage)
}

const sizesOf = ({ whole, rows, columns }: KeptChannels): [number, number] => [
  rows?.length ?? whole[0],
  columns?.length ?? whole[1],
]

/** The kept rows and columns of a matrix. */
function picked(data: Float32Array, kept: KeptChannels): Float32Array {
  const [rows, columns] = sizesOf(kept)
  const out = new Float32Array(rows * columns)
  eachKept(kept, (whole, own) => (out[own] = data[whole]!))
  return out
}

/** A kept part at its place in the whole matrix, zeros elsewhere. */
export function spread(part: Float32Array, kept: KeptChannels): Float32Array {
  const out = new Float32Array(kept.whole[0] * kept.whole[1])
  eachKept(kept, (whole, own) => (out[whole] = part[own]!))
  return out
}

/** A whole matrix with zeros in the channels that were cut. */
export const cutWeight = (data: Float32Array, kept: KeptChannels | undefined): Float32Array =>
  kept ? spread(picked(data, kept), kept) : data

function eachKept(kept: KeptChannels, visit: (whole: number, own: number) => void): void {
  const [rows, columns] = sizesOf(kept)
  for (let i = 0; i < rows; i++) {
    const row = kept.rows?.[i] ?? i
    for (let j = 0; j < columns; j++)
      visit(row * kept.whole[1] + (kept.columns?.[j] ?? j), i * columns + j)
  }
}

/** The name under which an arm's cut model is asked. */
export const cutArm = (arm: string): string => `${arm}:pruned`
