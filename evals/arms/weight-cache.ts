/** @file The cache of converted weights of a job, with a warning if it cannot be used. */
import { emitLog, type JobContext } from '../contract/job.ts'
import { weightCacheFolder, type WeightCache } from '../models/weights/converted-weights.ts'
import type { SpectraConfig } from '../measure/config.ts'

export function weightCacheOf(
  { cache, cacheDir }: Pick<SpectraConfig, 'cache' | 'cacheDir'>,
  { emit }: Pick<JobContext, 'emit'>,
): WeightCache | undefined {
  if (!cache) return undefined
  const folder = cacheDir ?? weightCacheFolder()
  return {
    folder,
    onProblem(why) {
      const message = `Converted weights are made in memory and not kept: ${folder} cannot be used (${why}).`
      emitLog({ emit }, 'warn', message)
    },
  }
}
