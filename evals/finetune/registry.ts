/** @file Every fine-tuning method, in display order. */
import { findNamed } from '../errors.ts'
import { allora } from './allora.ts'
import { baLora } from './ba-lora.ts'
import { dora } from './dora.ts'
import { full } from './full.ts'
import { ggpo } from './ggpo.ts'
import { loraFa } from './lora-fa.ts'
import { loraGa } from './lora-ga.ts'
import { loraPlus } from './lora-plus.ts'
import { loraSb } from './lora-sb.ts'
import { lora } from './lora.ts'
import { anyMethod, type AnyMethod } from './method.ts'
import { mgpo } from './mgpo.ts'
import { olora } from './olora.ts'
import { pissa } from './pissa.ts'
import { rslora } from './rslora.ts'

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
