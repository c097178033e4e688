/** @file LoRA on both matrices of a frozen two-layer network that has learnt the digits. */
import { z } from 'zod'
import type { Testbed } from '../testbed.ts'
import { ADAPTER_FIELDS, adapterTrial } from './adapters.ts'
import { twoLayers, twoLayerStart } from './digits.ts'
import { sideBySide } from './trial.ts'

const Config = z.object({
  width: z.int().min(1).max(512).default(64).describe('hidden units of the frozen base'),
  ...ADAPTER_FIELDS,
})
type Config = z.infer<typeof Config>

export const digitsLora: Testbed<Config> = {
  name: 'digits-lora',
  title: 'LoRA on a frozen network of 8 × 8 digits',
  version: '1',
  source: 'Hu et al. 2021; Nakkiran et al. 2019; data Alpaydin and Kaynak 1998',
  config: Config,
  ...sideBySide((config, seeds, signal) => {
    const { width } = config
    const base = {
      network: twoLayers(width),
      tensors: twoLayerStart(width, seeds),
      adapted: ['W1', 'W2'],
      stream: 'digits adapters',
    }
    return adapterTrial(base, config, seeds, signal)
  }),
}
