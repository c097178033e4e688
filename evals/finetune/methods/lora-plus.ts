/**
 * @file LoRA+: LoRA in which the learning rate of B is λ times that of A (Hayou et al. 2024, §4); λ = 1 is LoRA.
 * Embeddings are not adapted, so the paper's separate rate for them is not implemented. See docs/methods/lora.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'
import { realNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  rateRatio: realNumber({ above: 0, max: 1024 }, 16, {
    label: 'Rate ratio',
    help: 'How many times faster B learns than A',
  }),
})

export const loraPlus: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora-plus',
  title: 'LoRA+',
  paper: 'arXiv:2402.12354',
  faithfulness: 'exact',
  notes: [
    'The paper’s separate rate for adapted embeddings has no place here: embeddings are not adapted.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: ({ rateRatio, ...lowRank }) => additive(peftConfigOf(lowRank), { rateOfB: rateRatio }),
}
