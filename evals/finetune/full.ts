/** @file Full fine-tuning: every weight of the base is trained; W′ = W + ΔW with ΔW unconstrained. */
import { z } from 'zod'
import type { FineTuneMethod } from './method.ts'

const config = z.object({
  trainEmbeddings: z
    .boolean()
    .default(true)
    .meta({ label: 'Train embeddings', help: 'Also train the token embeddings and the head' }),
})

export const full: FineTuneMethod<z.infer<typeof config>> = {
  name: 'full',
  title: 'Full fine-tuning',
  paper: 'standard practice',
  faithfulness: 'exact',
  config,
  mergeable: true,
  identityAtStart: true,
  trainable: (weight, { trainEmbeddings }) =>
    trainEmbeddings || !/embed_tokens|lm_head/.test(weight) ? { learningRateScale: 1 } : undefined,
}
