/** @file FFA-LoRA: A is drawn once and frozen, so that the mean of B gives the mean of B·A exactly (Sun et al. 2024, §4). */
import { z } from 'zod'
import { loraFa } from '../../methods/lora-fa.ts'
import type { Strategy } from '../strategy.ts'
import { weightedMean } from '../tensors.ts'

export const ffaLora: Strategy = {
  name: 'ffa-lora',
  title: 'FFA-LoRA',
  paper: 'arXiv:2403.12313',
  faithfulness: 'exact',
  notes: [
    'Rounds, local steps and numbers of clients of the paper were not verified; none is claimed.',
  ],
  method: loraFa,
  isMean: true,
  mixesRanks: false,
  config: z.object({}),
  aggregate: (round) => ({ tensors: weightedMean(round) }),
}
