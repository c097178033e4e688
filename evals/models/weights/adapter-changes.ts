/** @file What an adapter's low-rank tensors change, by weight of the base. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Experts } from '../architecture.ts'
import { adaptedName, isExperts, rankOf, scaleOf } from '../formats/peft-config.ts'
import type { PeftFolder, PeftTensor } from '../formats/peft-folder.ts'
import { transposed } from '../weight-list.ts'

/** ΔW = s·B·A, with A `[r, in]` and B `[out, r]`. */
export interface LowRank {
  readonly B: Float32Array
  readonly A: Float32Array
  readonly rank: number
  readonly scale: number
}

export interface Change extends LowRank {
  /** DoRA's lengths: of rows, or of columns in an embedding. */
  readonly magnitude?: { readonly data: Float32Array; readonly over: 'rows' | 'columns' }
}

type Named = readonly [weight: string, change: Change]

/** @param experts where the base keeps the matrices that an adapter may hold as one stack */
export function changesOf(
  { config, tensors }: PeftFolder,
  path: string,
  experts?: Experts,
): ReadonlyMap<string, Change> {
  const modules = new Set(
    [...tensors.keys()].flatMap((key) => /^(.+)\.lora_(?:embedding_)?A/u.exec(key)?.[1] ?? []),
  )
  const changes = [...modules].flatMap((module): readonly Named[] => {
    const tensor = (part: string) => tensors.get(`${module}.${part}`)
    const name = adaptedName(config, module)
    const own = { rank: rankOf(config, name), scale: scaleOf(config, name) }
    const embedding = tensor('lora_embedding_A')
    const data = tensor('lora_magnitude_vector')?.data
    if (embedding) {
      const { A, B } = ofEmbedding(embedding, tensor('lora_embedding_B')!)
      const magnitude = data && ({ data, over: 'columns' } as const)
      return [[`${module}.weight`, { ...own, A, B, ...(magnitude && { magnitude }) }]]
    }
    const [A, B] = [tensor('lora_A.weight')!, tensor('lora_B.weight')!]
    if (isExperts(module)) return ofExperts({ A, B, ...own }, name, path, experts)
    const magnitude = data && ({ data, over: 'rows' } as const)
    const weight = weightOf(name, experts)
    return [[weight, { ...own, A: A.data, B: B.data, ...(magnitude && { magnitude }) }]]
  })
  return new Map(changes)
}

/** s·b of each layer whose lora_B has a bias, by the name of the base's bias. */
export const biasChangesOf = ({ config, tensors }: PeftFolder): ReadonlyMap<string, Float32Array> =>
  new Map(
    [...tensors].flatMap(([key, { data }]) => {
      const module = /^(.+)\.lora_B\.bias$/u.exec(key)?.[1]
      if (module === undefined) return []
      const scale = scaleOf(config, adaptedName(config, module))
      return [[`${module}.bias`, data.map((b) => scale * b)] as const]
    }),
  )

/** ΔE = s·(B·A)ᵀ = s·Aᵀ·Bᵀ for A `[r, vocab]` and B `[hidden, r]`. */
const ofEmbedding = (A: PeftTensor, B: PeftTensor) => ({
  B: transposed(A.data, A.shape[0]!, A.shape[1]!),
  A: transposed(B.data, B.shape[0]!, B.shape[1]!),
})

/** A router that transformers 5 names otherwise than the base's file does. */
function weightOf(name: string, experts: Experts | undefined): string {
  const weight = name.endsWith('.weight') ? name : `${name}.weight`
  return experts ? weight.replace(/(?<=\.)mlp(?=\.gate\.weight$)/u, experts.block) : weight
}

interface Stack extends Pick<LowRank, 'rank' | 'scale'> {
  readonly A: PeftTensor
  readonly B: PeftTensor
}

/**
 * A stack's A is `[experts·r, in]`, expert after expert; its B `[out, r·experts]`, where column ρ·experts + e is direction ρ
 * of expert e (peft/tuners/lora/layer.py, ParamWrapper). The rows of `gate_up_proj` are those of gate, then those of up.
 */
function ofExperts(
  { A, B, rank, scale }: Stack,
  name: string,
  path: string,
  experts: Experts | undefined,
): readonly Named[] {
  const [, width] = A.shape as [number, number]
  const [rows, columns] = B.shape as [number, number]
  if (!experts || columns !== experts.count * rank)
    throw new TouchstoneError('adapter.other-base', { path, module: name })
  const { count, block, gate, up, down } = experts
  const parts = name.endsWith('.gate_up_proj') ? [gate, up] : [down]
  const height = rows / parts.length
  return Array.from({ length: count }, (_, e) => e).flatMap((e) => {
    const own = A.data.subarray(e * rank * width, (e + 1) * rank * width)
    return parts.map((part, i): Named => {
      const lower = Float32Array.from({ length: height * rank }, (_, at) => {
        const row = i * height + Math.floor(at / rank)
        return B.data[row * columns + (at % rank) * count + e]!
      })
      const place = name.replace(/mlp\.experts\.\w+$/u, `${block}.experts.${e}.${part}.weight`)
      return [place, { A: own, B: lower, rank, scale }]
    })
  })
}
