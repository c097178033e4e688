/** @file Why some methods do not fit a network that is no decoder. */
import { loraMoe } from '../../finetune/methods/lora-moe.ts'
import { loraPrune } from '../../finetune/methods/lora-prune.ts'
import { loram } from '../../finetune/methods/loram.ts'
import { xLora } from '../../finetune/methods/x-lora.ts'
import type { TaskFacts } from './task.ts'

const CUTS = 'it cuts heads and channels of decoders, and this network has none.'

export const NO_DECODER: NonNullable<TaskFacts['unfit']> = {
  [loram.name]: CUTS,
  [loraPrune.name]: CUTS,
  [loraMoe.name]: 'its experts stand at gated layers of a decoder, and this network has none.',
  [xLora.name]: 'it mixes adapters that exist already, and a task begins without any.',
}
