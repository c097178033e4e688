/** @file The fine-tunes of a stored run, to be trained again: a state is a function of data, plan, seed and step. */
import type { Progress } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import { armNameOf } from '../../finetune/method-choice.ts'
import type { EngineConfig } from '../../measure/config.ts'
import { AuditConfig } from '../config.ts'

interface Asked extends Pick<EngineConfig, 'device' | 'threads' | 'batchSize'> {
  readonly run: string
  readonly arm: string | null
}

/** The audit that trains them to their last step and measures them there, and nothing else. */
export function auditOfRun(
  { run, arm, device, threads, batchSize }: Asked,
  progress: Pick<Progress, 'ended'>,
): AuditConfig & { readonly data: string; readonly evaluatedEvery: number | null } {
  const stored = AuditConfig.safeParse(progress.ended(run).rows().run.config)
  const { data: config } = stored
  if (!config || config.data === null || config.methods.length === 0) {
    throw new TouchstoneError('run.no-cause', { run, why: 'nothing was fine-tuned on data in it' })
  }
  const methods = config.methods.filter((choice) => arm === null || armNameOf(choice) === arm)
  if (methods.length === 0) throw unknownName('variant', arm!, config.methods.map(armNameOf))
  return {
    ...config,
    data: config.data,
    methods,
    candidates: [],
    compress: [],
    merge: [],
    mitigate: [],
    remedy: [],
    evaluatedEvery: config.evalEvery,
    evalEvery: config.training.steps,
    evalTogether: false,
    matchLoss: false,
    leaningEvery: null,
    spectra: false,
    on: 'local',
    keepWeights: null,
    device,
    threads: threads ?? config.threads,
    batchSize,
  }
}
