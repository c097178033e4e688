/** @file Coordinate-wise trimmed mean of A and of B over clients, unweighted (Yin et al. 2018, definition 2). */
import { z } from 'zod'
import { lora } from '../../methods/lora.ts'
import { realNumber } from '../../settings.ts'
import type { Strategy } from '../strategy.ts'
import { perCoordinate } from '../tensors.ts'

const config = z.object({
  trim: realNumber({ min: 0, max: 0.49 }, 0.25, {
    label: 'Trim',
    help: 'Share of clients left out at either end of each coordinate',
  }),
})

export const trimmedMean: Strategy<z.infer<typeof config>> = {
  name: 'trimmed-mean',
  title: 'Trimmed mean',
  paper: 'arXiv:1803.01498',
  faithfulness: 'variant',
  notes: ['The paper trims gradients of whole models; here A and B are trimmed.'],
  method: lora,
  isMean: false,
  mixesRanks: false,
  config,
  aggregate: (round, { trim }) => ({
    tensors: perCoordinate(round, (sorted) => {
      const cut = Math.floor(trim * sorted.length)
      const kept = sorted.subarray(cut, sorted.length - cut)
      return kept.reduce((sum, x) => sum + x, 0) / kept.length
    }),
  }),
}
