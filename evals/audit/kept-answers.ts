/** @file What earlier runs kept of the base's answers, for a job on a model that runs here. */
import { emitLog, type JobContext, type Progress } from '../contract/job.ts'
import { precisionOf } from '../finetune/training/int8-forward.ts'
import { identityOf, type Base } from '../measure/base.ts'
import { keptBase, type KeptBase } from '../measure/known/kept-base.ts'
import { keptPlace, stateDigest } from '../measure/known/kept-file.ts'
import { isEncoder } from '../models/registry.ts'
import { isInBlocks } from '../models/weights/small-weights.ts'
import type { AuditConfig } from './config.ts'

/** A smaller base is asked in about the time that keeping its answers takes. */
const LEAST_PARAMETERS = 16e6
/** To be changed with how answers are made or kept. */
const VERSION = 1

/** Undefined where the base is asked everything. */
export function keptAnswers(
  base: Base,
  {
    cache,
    cacheDir,
    askAgain,
    batchSize,
  }: Pick<AuditConfig, 'cache' | 'cacheDir' | 'askAgain' | 'batchSize'>,
  progress: Pick<Progress, 'rows'>,
  context: Pick<JobContext, 'emit'>,
): KeptBase | undefined {
  if (!cache || isEncoder(base.model) || base.parameters < LEAST_PARAMETERS) return undefined
  const { run } = progress.rows()
  const { version, onnxruntime, platform, cpu, threads, device, arithmetic } = run.engine
  const engine = { version, onnxruntime, platform, cpu, threads, device, arithmetic }
  const identity = identityOf(base, base.open, { arm: 'base', title: '' })
  const { weightsDigest, tokenizerDigest, templateDigest, thinking, cachePrecision } = identity
  const known = { VERSION, engine, weightsDigest, tokenizerDigest, templateDigest, thinking }
  // Products with a file's blocks round differently.
  const precision = precisionOf(base.weights)
  const weights = isInBlocks(precision) && { precision }
  const facts = { ...known, ...weights, ...(cachePrecision && { cachePrecision }) }
  let isTold = false
  const onProblem = (why: string) => {
    if (!isTold) emitLog(context, 'warn', why)
    isTold = true
  }
  const place = keptPlace(cacheDir, onProblem)
  return keptBase({
    place,
    state: stateDigest({ ...facts, batchSize }),
    run,
    isAskedAgain: askAgain,
  })
}
