/**
 * @file Adapters as vectors (ICM-LoRA, Shao et al. 2025): each tensor less its mean, divided by its deviation, both over all adapters,
 * in the order of the names, with zeros up to whole blocks of 4096.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { scaleOf } from '../../models/formats/peft-config.ts'
import type { PeftFolder, PeftTensor } from '../../models/formats/peft-folder.ts'
import { LORA_A, LORA_B } from '../methods/low-rank.ts'

/** 2 to the number of convolutions, each of which halves the length. */
export const FLAT_BLOCK = 4096

interface FlatTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly mean: number
  readonly deviation: number
}

interface FlatForm {
  readonly tensors: readonly FlatTensor[]
  /** Numbers of an adapter. */
  readonly used: number
  /** With the padding. */
  readonly length: number
}

export interface FoundAdapter {
  readonly path: string
  readonly folder: PeftFolder
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** Throws `generate.unlike` for adapters that are not LoRA of the same layers in the same shapes. */
export function flatFormOf(adapters: readonly FoundAdapter[]): FlatForm {
  const [first] = adapters
  adapters.forEach((each) => requireLike(each, first!))
  const names = [...first!.folder.tensors.keys()].sort()
  const tensors = names.map((name) => {
    const all = adapters.map(({ folder }) => folder.tensors.get(name)!.data)
    const count = all.length * all[0]!.length
    const mean = sum(all, (x) => x) / count
    const deviation = Math.sqrt(sum(all, (x) => (x - mean) ** 2) / count)
    return { name, shape: first!.folder.tensors.get(name)!.shape, mean, deviation: deviation || 1 }
  })
  const used = tensors.reduce((total, { shape }) => total + sizeOf(shape), 0)
  return { tensors, used, length: FLAT_BLOCK * Math.ceil(used / FLAT_BLOCK) }
}

const sum = (all: readonly Float32Array[], of: (x: number) => number): number =>
  all.reduce((total, data) => data.reduce((own, x) => own + of(x), total), 0)

function requireLike({ path, folder }: FoundAdapter, first: FoundAdapter): void {
  const { config, tensors, saved } = folder
  const refuse = (found: string) => {
    throw new TouchstoneError('generate.unlike', { path, found })
  }
  if (config.useDora === true || (saved?.size ?? 0) > 0)
    refuse('more than A and B of linear layers')
  for (const [name, { shape, data }] of tensors) {
    if (!name.endsWith(LORA_A) && !name.endsWith(LORA_B)) refuse(`${name}, no A or B of a layer`)
    if (first.folder.tensors.get(name)?.shape.join() !== shape.join())
      refuse(`${name} in [${shape.join(', ')}], unlike ${first.path}`)
    if (!data.every(Number.isFinite)) refuse(`numbers in ${name} that are not finite`)
  }
  if (tensors.size !== first.folder.tensors.size) refuse(`fewer layers than ${first.path}`)
  const scales = ({ folder: own }: FoundAdapter) =>
    [...own.tensors.keys()].map((name) => scaleOf(own.config, layerIn(name))).join()
  if (scales({ path, folder }) !== scales(first)) refuse(`another alpha than ${first.path}`)
}

const layerIn = (name: string) => name.replace(/\.lora_[AB]\.weight$/u, '')

/** `[length]`, zeros in the padding. */
export function flattened({ tensors, length }: FlatForm, { tensors: own }: PeftFolder) {
  const flat = new Float32Array(length)
  let at = 0
  for (const { name, mean, deviation } of tensors)
    for (const x of own.get(name)!.data) flat[at++] = (x - mean) / deviation
  return flat
}

export function unflattened({ tensors }: FlatForm, flat: Float32Array): Map<string, PeftTensor> {
  let at = 0
  return new Map(
    tensors.map(({ name, shape, mean, deviation }) => {
      const part = flat.subarray(at, (at += sizeOf(shape)))
      return [name, { shape, data: part.map((x) => x * deviation + mean) }]
    }),
  )
}

type Tensors = PeftFolder['tensors']

/** ‖ΔW′ − ΔW‖ / ‖ΔW‖ over all layers, with ΔW = s·B·A: what counts, while A and B may be turned against each other. */
export function changeError(
  { config, tensors }: Pick<PeftFolder, 'config' | 'tensors'>,
  found: Tensors,
): number {
  let [off, whole] = [0, 0]
  for (const name of tensors.keys()) {
    if (!name.endsWith(LORA_A)) continue
    const layer = layerIn(name)
    const pairIn = (all: Tensors): Pair => [all.get(name)!, all.get(`${layer}.${LORA_B}`)!]
    const own = pairIn(tensors)
    const squared = scaleOf(config, layer) ** 2
    off += squared * squareOfSum([own, pairIn(found)], [1, -1])
    whole += squared * squareOfSum([own], [1])
  }
  return Math.sqrt(Math.max(0, off) / whole)
}

type Pair = readonly [A: PeftTensor, B: PeftTensor]

/** ‖Σ w·B·A‖² = Σ (BᵀB) ∘ (AAᵀ) over the ranks of all pairs, so that no B·A is formed. */
function squareOfSum(pairs: readonly Pair[], weights: readonly number[]): number {
  const ranks = pairs.flatMap(([A, B], i) => {
    const [rank, width] = A.shape as [number, number]
    return Array.from({ length: rank }, (_, r) => ({
      weight: weights[i]!,
      row: A.data.subarray(r * width, (r + 1) * width),
      column: Float64Array.from({ length: B.shape[0]! }, (__, o) => B.data[o * rank + r]!),
    }))
  })
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let total = 0
    for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!
    return total
  }
  return ranks.reduce(
    (total, a) =>
      total +
      ranks.reduce(
        (own, b) => own + a.weight * b.weight * dot(a.row, b.row) * dot(a.column, b.column),
        0,
      ),
    0,
  )
}
