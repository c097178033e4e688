/** @file Replies drawn at a temperature, with a seed. */
import { z } from 'zod'
import { Decoding } from '../../../contract/rows.ts'
import type { ContextKind } from '../kind.ts'

const Sampling = z.strictObject({
  temperature: Decoding.shape.temperature.gt(0).max(5),
  samples: Decoding.shape.samples.max(1000).default(1),
  seed: Decoding.shape.seed.default(0),
})

export const sampling: ContextKind<z.infer<typeof Sampling>> = {
  name: 'sampling',
  title: 'sampling',
  setting: Sampling,
  apply: ({ samples }, decoding) => ({ samples, decoding }),
}
