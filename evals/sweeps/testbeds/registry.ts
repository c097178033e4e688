/** @file Every testbed, in display order. */
import { anyTestbed, type AnyTestbed } from './testbed.ts'
import { digits } from './digits/digits.ts'
import { digitsLora } from './digits/digits-lora.ts'
import { digitsTransformer } from './digits/digits-transformer.ts'
import { digitsTransformerLora } from './digits/digits-transformer-lora.ts'
import { irisMlp } from './iris-mlp.ts'
import { randomFeatures } from './random-features.ts'
import { digitsTuned } from './tuned/digits-tuned.ts'

export const TESTBEDS: readonly AnyTestbed[] = [
  anyTestbed(randomFeatures),
  anyTestbed(irisMlp),
  anyTestbed(digits),
  anyTestbed(digitsLora),
  anyTestbed(digitsTransformer),
  anyTestbed(digitsTransformerLora),
  anyTestbed(digitsTuned),
]
