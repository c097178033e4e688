/**
 * @file FLoRA: the adapters are stacked, [p₁s₁B₁ … p_ns_nB_n]·[A₁; …; A_n] = Σ p_i ΔW_i exactly, the stack becomes part of the
 * base, and clients begin anew (Wang et al. 2024, §3). Clients may have different ranks.
 */
import { z } from 'zod'
import { stackedProduct } from '../products.ts'
import { lora } from '../../methods/lora.ts'
import type { Strategy } from '../strategy.ts'

export const flora: Strategy = {
  name: 'flora',
  title: 'FLoRA',
  paper: 'arXiv:2409.05976',
  faithfulness: 'exact',
  notes: [
    'A client receives the adapters of all others, so its down-link grows with their number.',
  ],
  method: lora,
  isMean: false,
  mixesRanks: true,
  stacks: true,
  config: z.object({}),
  aggregate: ({ layers }) => ({
    tensors: new Map(),
    changes: new Map(layers.map((layer) => [layer.name, stackedProduct(layer)])),
  }),
}
