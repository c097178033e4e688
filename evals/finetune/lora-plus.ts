/**
 * @file LoRA+: LoRA in which B learns at λ times the rate of A (Hayou et al. 2024, §4); λ = 1 is LoRA.
 * The paper's separate rate for adapted embeddings has no place here: embeddings are not adapted.
 */
import { z } from 'zod'
import {
  additiveAdapter,
  asPeftFolder,
  lowRankFields,
  lowRankPair,
  peftConfigOf,
} from './low-rank.ts'
import type { FineTuneMethod } from './method.ts'

const config = z.object({
  ...lowRankFields,
  rateRatio: z
    .number()
    .positive()
    .max(1024)
    .default(16)
    .meta({ label: 'Rate ratio', help: 'How many times faster B learns than A' }),
})

export const loraPlus: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora-plus',
  title: 'LoRA+',
  paper: 'arXiv:2402.12354',
  faithfulness: 'exact',
  config,
  mergeable: true,
  identityAtStart: true,
  attach: (g, site, config) =>
    additiveAdapter(
      g,
      site,
      lowRankPair(g, site, peftConfigOf(config), { rateOfB: config.rateRatio }),
    ),
  toPeft: (parameters, config, base) => asPeftFolder(parameters, peftConfigOf(config), base),
}
