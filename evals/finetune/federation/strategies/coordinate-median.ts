/** @file Coordinate-wise median of A and of B over clients, unweighted (Yin et al. 2018, definition 1). */
import { z } from 'zod'
import { lora } from '../../methods/lora.ts'
import type { Strategy } from '../strategy.ts'
import { medianOf, perCoordinate } from '../tensors.ts'

export const coordinateMedian: Strategy = {
  name: 'coordinate-median',
  title: 'Coordinate median',
  paper: 'arXiv:1803.01498',
  faithfulness: 'variant',
  notes: ['The paper takes the median of gradients of whole models; here it is of A and of B.'],
  method: lora,
  isMean: false,
  mixesRanks: false,
  config: z.object({}),
  aggregate: (round) => ({ tensors: perCoordinate(round, medianOf) }),
}
