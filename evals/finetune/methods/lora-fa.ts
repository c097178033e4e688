/**
 * @file LoRA-FA: LoRA with A frozen at its initial value, so that only B learns and the update stays in a fixed row space
 * (Zhang et al. 2023, §3). It is `lora` with learning rate 0 for A. See docs/methods/lora.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
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
  mergeable: true,
  identityAtStart: true,
  // Rate 0 fixes A: it is stored, but has no gradient and does not enter the clipping norm.
  hooks: (config) => additive(peftConfigOf(config), { rateOfA: 0 }),
}
