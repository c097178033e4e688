/** @file Every fine-tuning method, in display order. */
import { findNamed } from '../errors/touchstone-error.ts'
import { allora } from './methods/allora.ts'
import { baLora } from './methods/ba-lora.ts'
import { dora } from './methods/dora.ts'
import { full } from './methods/full.ts'
import { ggpo } from './methods/ggpo.ts'
import { loraFa } from './methods/lora-fa.ts'
import { loraGa } from './methods/lora-ga.ts'
import { loraPlus } from './methods/lora-plus.ts'
import { loraSb } from './methods/lora-sb.ts'
import { lora } from './methods/lora.ts'
import { anyMethod, type AnyMethod } from './method.ts'
import { mgpo } from './methods/mgpo.ts'
import { olora } from './methods/olora.ts'
import { pissa } from './methods/pissa.ts'
import { rslora } from './methods/rslora.ts'

export const METHODS: readonly AnyMethod[] = [
  anyMethod(lora),
  anyMethod(rslora),
  anyMethod(dora),
  anyMethod(pissa),
  anyMethod(olora),
  anyMethod(loraPlus),
  anyMethod(loraFa),
  anyMethod(allora),
  anyMethod(loraGa),
  anyMethod(baLora),
  anyMethod(loraSb),
  anyMethod(ggpo),
  anyMethod(mgpo),
  anyMethod(full),
]

export const findMethod = (name: string): AnyMethod => findNamed('method', METHODS, name)
