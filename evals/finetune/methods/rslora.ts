/**
 * @file rsLoRA: LoRA with s = α/√r, so that the update keeps its size as r grows (Kalajdzievski 2023, Theorem 3.2).
 * At a small rank that is above all a larger step: choose the learning rate anew before comparing with LoRA.
 */
import { z } from 'zod'
import { additiveMethod, lowRankFields, peftConfigOf, type LowRankConfig } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)

const peft = (config: LowRankConfig) => peftConfigOf(config, { useRslora: true })

export const rslora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'rslora',
  title: 'rsLoRA',
  paper: 'arXiv:2312.03732',
  faithfulness: 'exact',
  notes: [
    'At a small rank it is above all a larger step: choose the learning rate anew before comparing it with LoRA.',
  ],
  config,
  ...additiveMethod(peft),
}
