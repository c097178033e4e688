/**
 * @file FlexLoRA: Σ p_i ΔW_i cut to the server's rank by its singular values, and sent back as B = U√S, A = √SVᵀ; a client of a
 * smaller rank takes the leading ones (Bai et al. 2024, §3.2).
 */
import { z } from 'zod'
import { cutSum } from '../../merging/low-rank.ts'
import type { Layer } from '../../merging/merging.ts'
import { LORA_A, LORA_B } from '../../methods/low-rank.ts'
import { lora } from '../../methods/lora.ts'
import type { Strategy, Tensors } from '../strategy.ts'

/** Below this share of σ₁ a singular value is taken for 0: B stays 0 there, and A is the direction, so that it can still learn. */
const NOTHING = 1e-12

export const flexlora: Strategy = {
  name: 'flexlora',
  title: 'FlexLoRA',
  paper: 'arXiv:2402.11505',
  faithfulness: 'variant',
  notes: ['The paper leaves open how S is split between B and A; here each has √S.'],
  method: lora,
  isMean: false,
  mixesRanks: true,
  config: z.object({}),
  aggregate: ({ before, layers }) => ({
    tensors: new Map(layers.flatMap((layer) => splitEvenly(layer, before))),
  }),
}

/** A `[r, in]` and B `[out, r]` with s·B·A = U S Vᵀ, s as the clients have it. */
function splitEvenly(layer: Layer, before: Tensors): [string, Float64Array][] {
  const { name, rows, columns, parts } = layer
  const rank = before.get(`${name}.${LORA_A}`)!.shape[0]!
  const cut = cutSum(layer, { rank })
  const values = Array.from({ length: cut.rank }, (_, j) => {
    let square = 0
    for (let i = 0; i < rows; i++) square += cut.B[i * cut.rank + j]! ** 2
    return Math.sqrt(square)
  })
  const [A, B] = [new Float64Array(rank * columns), new Float64Array(rows * rank)]
  const scale = Math.sqrt(parts[0]!.scale)
  values.forEach((value, j) => {
    const isSome = value > NOTHING * values[0]!
    const root = Math.sqrt(value)
    for (let t = 0; t < columns; t++)
      A[j * columns + t] = cut.A[j * columns + t]! * (isSome ? root / scale : 1)
    if (isSome)
      for (let i = 0; i < rows; i++) B[i * rank + j] = cut.B[i * cut.rank + j]! / (root * scale)
  })
  return [
    [`${name}.${LORA_A}`, A],
    [`${name}.${LORA_B}`, B],
  ]
}
