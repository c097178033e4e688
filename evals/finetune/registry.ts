/** @file Every fine-tuning method, in display order. */
import { findNamed } from '../errors/names.ts'
import { bind, type BoundMethod, type FineTuneMethod } from './method.ts'
import type { MethodChoice } from './method-choice.ts'
import { allora } from './methods/allora.ts'
import { baLora } from './methods/ba-lora.ts'
import { dora } from './methods/dora.ts'
import { full } from './methods/full.ts'
import { ggpo } from './methods/ggpo.ts'
import { loraFa } from './methods/lora-fa.ts'
import { loraGa } from './methods/lora-ga.ts'
import { loraMoe } from './methods/lora-moe.ts'
import { loraPlus } from './methods/lora-plus.ts'
import { loraPrune } from './methods/lora-prune.ts'
import { loraSb } from './methods/lora-sb.ts'
import { lora } from './methods/lora.ts'
import { loram } from './methods/loram.ts'
import { lqLora } from './methods/lq-lora.ts'
import { mgpo } from './methods/mgpo.ts'
import { olora } from './methods/olora.ts'
import { pissa } from './methods/pissa.ts'
import { rslora } from './methods/rslora.ts'
import { xLora } from './methods/x-lora.ts'

export const METHODS: readonly FineTuneMethod[] = [
  lora,
  rslora,
  dora,
  pissa,
  olora,
  loraPlus,
  loraFa,
  allora,
  loraGa,
  baLora,
  loraSb,
  lqLora,
  loram,
  loraPrune,
  ggpo,
  mgpo,
  loraMoe,
  xLora,
  full,
]

export const findMethod = (name: string): FineTuneMethod => findNamed('method', METHODS, name)

/** The method that a configuration names, with its own configuration parsed. */
export const bindMethod = ({ name, config }: Pick<MethodChoice, 'name' | 'config'>): BoundMethod =>
  bind(findMethod(name), config)
