/** @file Compares the spectra of every fine-tune of a job with the base, matrix by matrix. */
import type { SubjectKey } from '../contract/rows.ts'
import type { JobContext } from '../contract/job.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import { defaultCacheFolder, openBaseStore, type BaseStore } from '../spectra/base-store.ts'
import { scanModel, type MatrixPlace, type TunedModel } from '../spectra/compare.ts'
import { EPSILON } from '../spectra/intruders.ts'
import type { Base } from './base.ts'
import type { SpectraConfig } from './config.ts'

export interface Tuned {
  readonly key: SubjectKey
  readonly weights: TunedWeights
  /** The base with this fine-tune's classes, if it has a head of its own. */
  readonly base?: Base
}

/** The linear layers inside the blocks; embeddings, norms and the head are left out (Shuttleworth et al., §3). */
export const spectralMatrices = ({ model }: Pick<Base, 'model'>): MatrixPlace[] =>
  [...model.weights.values()].flatMap(({ name, shape, layer, module }) =>
    layer === undefined || module === undefined
      ? []
      : [{ layer, module, weight: name, shape: [shape[0]!, shape[1]!] as [number, number] }],
  )

const PLAIN: SpectraConfig = {
  spectrumDetail: 'auto',
  nullDraws: 0,
  cache: false,
  cacheDir: null,
  epsilon: EPSILON,
}

/** For steps before the last: counts only, because there may be many. */
export const onTheWay = (config: SpectraConfig): SpectraConfig => ({
  ...config,
  spectrumDetail: 'leading',
  nullDraws: 0,
})

/** What is compared with: the base or another fine-tune. */
interface SpectraBase extends Pick<Base, 'model'> {
  readonly weights: { get(name: string): Float32Array | undefined }
}

/** Without a configuration nothing is cached on disk. */
export async function scanSpectra(
  base: SpectraBase,
  tuned: readonly Tuned[],
  { emit, signal, flush }: Pick<JobContext, 'emit' | 'signal' | 'flush'>,
  config: SpectraConfig = PLAIN,
): Promise<void> {
  if (tuned.length === 0) return
  const matrices = spectralMatrices(base)
  const models = tuned.map(modelOf)
  const phase = 'spectra'
  emit({ type: 'phase-start', phase, total: matrices.length * models.length, unit: 'matrix' })
  const rows = scanModel({
    matrices,
    readBase: (name) => base.weights.get(name)!,
    tuned: models,
    detail: config.spectrumDetail,
    epsilon: config.epsilon,
    nullDraws: config.nullDraws,
    store: storeOf(config, (message) => emit({ type: 'log', level: 'warn', message })),
    signal,
    onProgress: ({ done }) => emit({ type: 'phase-progress', phase, done }),
  })
  for await (const row of rows) emit({ type: 'spectrum', row })
  emit({ type: 'phase-end', phase })
  flush()
}

const modelOf = ({ key, weights }: Tuned): TunedModel => ({
  key,
  read: (name) => weights.read(name),
  readChange: (name) => weights.change(name),
  ...(weights.changed && { changes: (name: string) => weights.changed!.has(name) }),
})

export function storeOf(
  { cache, cacheDir }: Pick<SpectraConfig, 'cache' | 'cacheDir'>,
  warn: (message: string) => void,
): BaseStore | undefined {
  if (!cache) return undefined
  const folder = cacheDir ?? defaultCacheFolder()
  return openBaseStore({
    folder,
    onProblem: (why) =>
      warn(`The base’s decomposition is not kept: ${folder} cannot be written (${why}).`),
  })
}
