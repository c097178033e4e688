/** @file A round of one layer, `layer`, as strategies see it. */
import type { Round, Tensors } from '../../../evals/finetune/federation/strategy.ts'
import { LORA_A, LORA_B } from '../../../evals/finetune/methods/low-rank.ts'
import type { Layer } from '../../../evals/finetune/merging/merging.ts'

export interface Pair {
  /** `[rank, columns]`. */
  readonly A: readonly number[]
  /** `[rows, rank]`. */
  readonly B: readonly number[]
}

export const [NAME_A, NAME_B] = [`layer.${LORA_A}`, `layer.${LORA_B}`]

export interface PlainRound {
  readonly rows: number
  readonly columns: number
  readonly scale?: number
  readonly before: Pair
  readonly clients: readonly Pair[]
  readonly weights?: readonly number[]
}

export function roundOf({ rows, columns, scale = 1, before, clients, weights }: PlainRound): Round {
  const tensorsOf = ({ A, B }: Pair): Tensors =>
    new Map([
      [NAME_A, { shape: [A.length / columns, columns], data: Float64Array.from(A) }],
      [NAME_B, { shape: [rows, B.length / rows], data: Float64Array.from(B) }],
    ])
  const weightOf = (client: number) => weights?.[client] ?? 1 / clients.length
  const parts = clients.map(({ A, B }, client) => ({
    ...{ weight: weightOf(client), scale, rank: A.length / columns },
    ...{ A: Float64Array.from(A), B: Float64Array.from(B) },
  }))
  const layer: Layer = { name: 'layer', rows, columns, parts }
  return {
    before: tensorsOf(before),
    updates: clients.map((pair, client) => ({
      client,
      weight: weightOf(client),
      tensors: tensorsOf(pair),
    })),
    layers: [layer],
  }
}
