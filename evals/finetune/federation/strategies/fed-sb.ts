/** @file Fed-SB: only R `[r, r]` of B·R·A is trained and averaged, so that the mean of R gives the mean of B·R·A exactly (Singhal et al. 2025). */
import { z } from 'zod'
import { loraSb } from '../../methods/lora-sb.ts'
import type { Strategy } from '../strategy.ts'
import { weightedMean } from '../tensors.ts'

export const fedSb: Strategy = {
  name: 'fed-sb',
  title: 'Fed-SB',
  paper: 'arXiv:2502.15436',
  faithfulness: 'exact',
  notes: [
    'The server makes B and A from gradients on the first rows of the data, which it must hold, outside any budget of privacy.',
    'Its start differs from the base: round 0 is evaluated too.',
  ],
  method: loraSb,
  isMean: true,
  mixesRanks: false,
  config: z.object({}),
  aggregate: (round) => ({ tensors: weightedMean(round) }),
}
