/** @file What of a run is approximate by its own configuration, in the words of every place that shows what came of it. */
import { z } from 'zod'

export const APPROXIMATE =
  'Training is approximate (--forward int8): the base’s layers multiply in int8, so losses and gradients are near those of an exact forward pass, not equal. Evaluation and export are exact.'

const Approximate = z.object({
  forward: z.literal('int8'),
  methods: z.array(z.unknown()).nonempty(),
})

/** A sentence where something was trained so, else undefined. Of a run's stored configuration. */
export const approximationOf = (config: unknown): string | undefined =>
  Approximate.safeParse(config).success ? APPROXIMATE : undefined
