/** @file The job `spectral`: compares the spectra of fine-tunes made elsewhere with their base. */
import { emitLog, type JobContext, type JobKind } from '../contract/job.ts'
import { chooseDevice } from '../runtime/device.ts'
import { identityOf, openBase } from '../measure/base.ts'
import { weightCacheOf } from '../arms/weight-cache.ts'
import { openCandidate } from '../measure/candidate.ts'
import { SpectralConfig } from './config.ts'
import { planOf } from './plan/plan.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import { type Tuned, scanSpectra } from '../measure/arm-spectra.ts'
import { evaluateCandidates, openCandidates } from './evaluate-models.ts'
import { asAudit } from './run-audit.ts'

export const spectralJob: JobKind<SpectralConfig> = {
  name: 'spectral',
  config: SpectralConfig,
  title: ({ model, against, candidates }) =>
    `Spectra of ${candidates.join(', ')} against ${against ?? model}`,
  plan: (config) => planOf(asAudit(config), false, undefined, config.against),
  run: (config, context) => runSpectral(config, context),
}

async function runSpectral(config: SpectralConfig, context: JobContext): Promise<void> {
  const { model, against } = config
  emitLog(context, 'info', `Opening ${model}`)
  const cache = weightCacheOf(config, context)
  const base = await openBase(model, chooseDevice('auto'), 1, 'fp32', cache)
  try {
    const from = against === null ? undefined : await openCandidate(base, against, 'base')
    const own = { arm: 'base', title: `Base: ${model}` }
    const identity = from?.identity ?? identityOf(base, base.open, own)
    context.emit({ type: 'subject', row: identity })
    const candidates = await evaluateCandidates(
      base,
      await openCandidates(base, config, false),
      undefined,
      context,
    )
    const tuned = from ? candidates.map((each) => withoutChange(each, from.weights)) : candidates
    const weights = from ? { get: (name: string) => from.weights.read(name) } : base.weights
    await scanSpectra({ model: base.model, weights }, tuned, context, config)
  } finally {
    await base.open.close()
  }
}

/** The low-rank change of an adapter is relative to the model, not to another fine-tune. */
function withoutChange({ key, weights }: Tuned, from: TunedWeights): Tuned {
  const both = [weights.changed, from.changed]
  const changed = both.includes(undefined) ? undefined : new Set(both.flatMap((own) => [...own!]))
  const read = (name: string) => weights.read(name)
  return { key, weights: { read, change: () => undefined, ...(changed && { changed }) } }
}
