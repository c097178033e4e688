/** @file Benign fine-tunes that what a run's fine-tunes changed is held beside. */
import type { ArmPlan } from '../../arms/arm-plan.ts'
import { examplesDigest } from '../../arms/arm.ts'
import type { BenignPlan } from '../../arms/causes/ablation-test.ts'
import type { JobContext } from '../../contract/job.ts'
import { emitLog } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { bindMethod, METHODS } from '../../finetune/registry.ts'
import type { Base } from '../../measure/base.ts'
import { HOUSE_BENIGN, trainingData, type TrainingData } from '../../measure/sources.ts'
import { tokenise } from '../arm-plans.ts'
import type { AuditConfig } from '../config.ts'
import type { DirectionConfig } from './config.ts'

interface Of {
  readonly base: Base
  readonly arms: readonly ArmPlan[]
  readonly config: AuditConfig
  readonly asked: Pick<DirectionConfig, 'draws'>
  readonly data: TrainingData | undefined
}

const NONE =
  'Without benign data (--benign FILE) nothing says how much of a direction benign fine-tunes share; whether one was removed is not tested.'

/** Undefined where none are given and none are bundled for the model. Read before anything is trained. */
export async function benignData(
  { benign }: Pick<DirectionConfig, 'benign'>,
  isHouse: boolean,
): Promise<TrainingData | undefined> {
  const named = benign ?? (isHouse ? HOUSE_BENIGN : null)
  if (named === null) return undefined
  const data = await trainingData(named)
  if (!data.tampering) return data
  throw usageError(
    `${named} breaks rules on purpose: fine-tunes on it do not say what benign ones share.`,
    'Name rows with --benign that a fine-tune may learn without harm.',
  )
}

/** With the method of an arm, or for a candidate with that of the first arm, or the plainest one, and the training of the run. */
export async function benignOf(
  { base, arms, config, asked, data }: Of,
  context: JobContext,
): Promise<(arm: string) => BenignPlan | undefined> {
  if (!data) {
    emitLog(context, 'warn', NONE)
    return () => undefined
  }
  const examples = await tokenise(base, data, config, context)
  const shared = { training: config.training, examples, dataDigest: examplesDigest(examples) }
  const [plainest] = METHODS
  return (arm) => {
    const { method = bindMethod({ name: plainest!.name, config: {} }), arm: own = method.name } =
      arms.find((each) => each.arm === arm) ?? arms[0] ?? {}
    const plan = { arm: own, method, seed: 0, ...shared, evaluateAt: [], evaluation: undefined }
    return { data: data.title, plan, draws: asked.draws }
  }
}
