/** @file Full fine-tuning: every weight of the base is trained, W′ = W + ΔW with ΔW unconstrained. See docs/methods/full.md. */
import { z } from 'zod'
import type { FineTuneMethod } from '../method.ts'
import { realNumber } from '../settings.ts'

/** Names of embedding tables and vocabulary heads in the model families. */
const EMBEDDINGS = /embed_tokens|lm_head|embed_in|embed_out|\.wte\.|\.wpe\.|_embeddings\./u

const config = z.object({
  trainEmbeddings: z
    .boolean()
    .default(true)
    .meta({ label: 'Train embeddings', help: 'Also train the token embeddings and the head' }),
  learningRateScale: realNumber({ above: 0, max: 1000 }, 0.1, {
    label: 'Rate factor',
    help: 'Full fine-tuning runs at this share of the learning rate, so that it can stand beside adapters, which want more',
  }),
})

export const full: FineTuneMethod<z.infer<typeof config>> = {
  name: 'full',
  title: 'Full fine-tuning',
  paper: 'standard practice',
  faithfulness: 'exact',
  notes: [
    'Runs at its rate factor times the learning rate, a tenth by default: compare both numbers.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: ({ trainEmbeddings, learningRateScale }) => ({
    trainable: (weight) =>
      trainEmbeddings || !EMBEDDINGS.test(weight) ? { learningRateScale } : undefined,
  }),
}
