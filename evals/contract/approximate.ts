/** @file What of a run is approximate by its own configuration, in the words of every place that shows what came of it. */
import { z } from 'zod'

/** What the keys and values of a model that is asked are kept in. */
export const CACHE_PRECISIONS = ['float32', 'float16', 'int8'] as const

export type CachePrecision = (typeof CACHE_PRECISIONS)[number]

const CacheApproximate = z.object({ cachePrecision: z.enum(['float16', 'int8']) })

/** A sentence where replies and scores were made so, else undefined. Of a run's stored configuration. */
export function cacheApproximationOf(config: unknown): string | undefined {
  const asked = CacheApproximate.safeParse(config)
  if (!asked.success) return undefined
  const { cachePrecision: kept } = asked.data
  return `Replies and scores are approximate (--cache-precision ${kept}): keys and values are rounded to ${kept} as they are made, so logits are near those of float32, not equal.`
}

const EXACT = 'Evaluation and export are exact.'

export const APPROXIMATE = `Training is approximate (--forward int8): the base’s layers multiply in int8, so losses and gradients are near those of an exact forward pass, not equal. ${EXACT}`

export const ROUNDED =
  'Answers are approximate (--base-precision blocks-int8): where a state is asked, what its matrices are multiplied with is rounded to int8, 32 numbers with a scale, so log-probabilities are near those of exact products, not equal, and a reply can differ. Training is exact.'

const Trained = z.object({ forward: z.literal('int8'), methods: z.array(z.unknown()).nonempty() })
const Asked = z.object({ basePrecision: z.literal('blocks-int8') })

/** A sentence where something was trained or asked so, else undefined. Of a run's stored configuration. */
export function approximationOf(config: unknown): string | undefined {
  if (Asked.safeParse(config).success) return ROUNDED
  if (!Trained.safeParse(config).success) return undefined
  const isAsked = cacheApproximationOf(config) === undefined
  return isAsked ? APPROXIMATE : APPROXIMATE.replace(EXACT, 'Export is exact.')
}
