/**
 * @file LoRA-FA: LoRA with A frozen where it began, so that B alone learns and the update stays in a fixed row space
 * (Zhang et al. 2023, §3). But for A's rate, which is 0, it is `lora`.
 */
import { z } from 'zod'
import { additiveMethod, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)

export const loraFa: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora-fa',
  title: 'LoRA-FA',
  paper: 'arXiv:2308.03303v1',
  faithfulness: 'exact',
  notes: [
    'PEFT’s optimiser of that name also corrects B’s gradient; that later form is not this one.',
  ],
  config,
  // Rate 0 fixes A: it is stored with the others, but has no gradient and no part in the clipping norm.
  ...additiveMethod(peftConfigOf, () => ({ rateOfA: 0 })),
}
