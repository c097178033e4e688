/**
 * @file LoRA: W′ = W + (α/r)·B·A, with A `[r, in]` and B `[out, r]` trained, W frozen (Hu et al. 2021, §4).
 * A starts uniform in ±1/√in (Kaiming with a = √5) and B at zero, so the model starts as its base. See docs/methods/lora.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)

export const lora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora',
  title: 'LoRA',
  paper: 'arXiv:2106.09685',
  faithfulness: 'exact',
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: (config) => additive(peftConfigOf(config)),
}
