/** @file FedIT: federated averaging of A and of B (McMahan et al. 2017; Zhang et al. 2023). Mean(B)·mean(A) is not the mean of B·A. */
import { z } from 'zod'
import { lora } from '../../methods/lora.ts'
import type { Strategy } from '../strategy.ts'
import { weightedMean } from '../tensors.ts'

export const fedit: Strategy = {
  name: 'fedit',
  title: 'FedIT',
  paper: 'arXiv:2305.05644',
  faithfulness: 'exact',
  method: lora,
  isMean: true,
  mixesRanks: false,
  config: z.object({}),
  aggregate: (round) => ({ tensors: weightedMean(round) }),
}
