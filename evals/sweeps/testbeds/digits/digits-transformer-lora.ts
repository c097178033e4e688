/** @file LoRA on the block of a frozen small transformer that has learnt the digits: its attention and its network. */
import { z } from 'zod'
import type { Testbed } from '../testbed.ts'
import { ADAPTER_FIELDS, adapterTrial } from './adapters.ts'
import { transformer, transformerStart } from './digits-transformer.ts'
import { sideBySide, type Trial } from './trial.ts'

const Config = z.object({
  width: z.int().min(1).max(128).default(16).describe('numbers in a token’s state, of the base'),
  ...ADAPTER_FIELDS,
})
type Config = z.infer<typeof Config>

export const digitsTransformerLora: Testbed<Config> = {
  name: 'digits-transformer-lora',
  title: 'LoRA on a frozen small transformer of 8 × 8 digits',
  version: '1',
  source: 'Hu et al. 2021; Nakkiran et al. 2019, §5; data Alpaydin and Kaynak 1998',
  config: Config,
  ...sideBySide(adaptedTransformers),
}

/** With its base trained: what is left is the training of the adapters. */
export function adaptedTransformers(
  config: Config,
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<Trial> {
  const { width } = config
  const base = {
    network: transformer(width),
    tensors: transformerStart(width, seeds),
    adapted: ['Q', 'K', 'V', 'O', 'U', 'D'],
    stream: 'digits transformer adapters',
  }
  return adapterTrial(base, config, seeds, signal)
}
