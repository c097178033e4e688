/**
 * @file rsLoRA: LoRA with s = α/√r, so that the size of the update does not depend on r (Kalajdzievski 2023, Theorem 3.2).
 * See docs/methods/lora.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)

export const rslora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'rslora',
  title: 'rsLoRA',
  paper: 'arXiv:2312.03732',
  faithfulness: 'exact',
  notes: [
    'At a small rank it is above all a larger step: choose the learning rate anew before comparing it with LoRA.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: (config) => additive(peftConfigOf(config, { useRslora: true })),
}
