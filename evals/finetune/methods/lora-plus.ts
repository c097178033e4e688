/**
 * @file LoRA+: LoRA in which B learns at λ times the rate of A (Hayou et al. 2024, §4); λ = 1 is LoRA.
 * The paper's separate rate for adapted embeddings has no place here: embeddings are not adapted.
 */
import { z } from 'zod'
import { additiveMethod, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object({
  ...lowRankFields,
  rateRatio: z
    .number()
    .positive()
    .max(1024)
    .default(16)
    .meta({ label: 'Rate ratio', help: 'How many times faster B learns than A' }),
})

type Config = z.infer<typeof config>

export const loraPlus: FineTuneMethod<Config> = {
  name: 'lora-plus',
  title: 'LoRA+',
  paper: 'arXiv:2402.12354',
  faithfulness: 'exact',
  notes: [
    'The paper’s separate rate for adapted embeddings has no place here: embeddings are not adapted.',
  ],
  config,
  ...additiveMethod<Config>(peftConfigOf, ({ rateRatio }) => ({ rateOfB: rateRatio })),
}
