/**
 * @file LoRA: W′ = W + (α/r)·B·A, with A `[r, in]` and B `[out, r]` trained, W frozen (Hu et al. 2021, §4).
 * A begins uniform in ±1/√in (Kaiming with a = √5), B at zero, so the model begins as its base.
 */
import { z } from 'zod'
import { additiveMethod, lowRankFields } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)

export const lora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora',
  title: 'LoRA',
  paper: 'arXiv:2106.09685',
  faithfulness: 'exact',
  config,
  ...additiveMethod(),
}
