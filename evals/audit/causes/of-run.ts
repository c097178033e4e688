/** @file The fine-tunes of a stored run, to be trained again: a state is a function of data, plan, seed and step. */
import type { Progress } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import { candidateNames } from '../../measure/candidate.ts'
import type { EngineConfig } from '../../measure/config.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import { AuditConfig } from '../config.ts'

interface Asked extends Pick<EngineConfig, 'device' | 'threads' | 'batchSize'> {
  readonly run: string
  readonly arm: string | null
}

/** The audit that trains them to their last step and measures them there, and nothing else. */
export function trainedAgain(
  asked: Asked,
  progress: Pick<Progress, 'ended'>,
): AuditConfig & { readonly data: string; readonly evaluatedEvery: number | null } {
  const config = lookedInto(asked, progress)
  const { data, methods } = config
  if (data === null || methods.length === 0) throw nothingTrained(asked)
  const own = methods.filter(isAsked(asked))
  if (own.length === 0) throw unknownName('variant', asked.arm!, methods.map(armNameOf))
  const { evalEvery: evaluatedEvery, training } = config
  const again = { methods: own, candidates: [], compress: [], evalEvery: training.steps }
  return { ...config, ...again, data, evaluatedEvery }
}

/** The audit that also asks the run's candidates again, and trains its fine-tunes over the steps at which they were evaluated. */
export function measuredAgain(asked: Asked, progress: Pick<Progress, 'ended'>): AuditConfig {
  const config = lookedInto(asked, progress)
  const candidates = candidatesOf(config)
  const names = candidateNames(candidates)
  const methods = config.data === null ? [] : config.methods.filter(isAsked(asked))
  const own = candidates.filter((_, i) => asked.arm === null || names[i] === asked.arm)
  if (own.length + methods.length > 0) return { ...config, methods, candidates: own, compress: [] }
  if (asked.arm === null) throw nothingTrained(asked)
  throw unknownName('variant', asked.arm, [...names, ...config.methods.map(armNameOf)])
}

const isAsked =
  ({ arm }: Asked) =>
  (choice: MethodChoice) =>
    arm === null || armNameOf(choice) === arm

const nothingTrained = ({ run }: Pick<Asked, 'run'>) =>
  new TouchstoneError('run.no-cause', { run, why: 'nothing was fine-tuned on data in it' })

function lookedInto(
  { run, device, threads, batchSize }: Asked,
  progress: Pick<Progress, 'ended'>,
): AuditConfig {
  const stored = AuditConfig.safeParse(progress.ended(run).rows().run.config)
  const { data: config } = stored
  if (!config) throw nothingTrained({ run })
  return {
    ...config,
    merge: [],
    mitigate: [],
    remedy: [],
    keepMended: false,
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
