/** @file What of a run is approximate by its own configuration, in the words of every place that shows what came of it. */
import { z } from 'zod'

export const APPROXIMATE =
  'Training is approximate (--forward int8): the base’s layers multiply in int8, so losses and gradients are near those of an exact forward pass, not equal. Evaluation and export are exact.'

export const ROUNDED =
  'Answers are approximate (--base-precision blocks-int8): where a state is asked, what its matrices are multiplied with is rounded to int8, 32 numbers with a scale, so log-probabilities are near those of exact products, not equal, and a reply can differ. Training is exact.'

const Trained = z.object({ forward: z.literal('int8'), methods: z.array(z.unknown()).nonempty() })
const Asked = z.object({ basePrecision: z.literal('blocks-int8') })

/** A sentence where something was trained or asked so, else undefined. Of a run's stored configuration. */
export function approximationOf(config: unknown): string | undefined {
  if (Asked.safeParse(config).success) return ROUNDED
  return Trained.safeParse(config).success ? APPROXIMATE : undefined
}
