/** @file Benign fine-tunes that what a run's fine-tunes changed is held beside. */
import type { ArmPlan } from '../../arms/arm-plan.ts'
import { examplesDigest } from '../../arms/arm.ts'
import type { BenignPlan } from '../../arms/causes/ablation-test.ts'
import type { JobContext } from '../../contract/job.ts'
import { emitLog } from '../../contract/job.ts'
import { bindMethod, METHODS } from '../../finetune/registry.ts'
import type { Base } from '../../measure/base.ts'
import { HOUSE_BENIGN, trainingData } from '../../measure/sources.ts'
import { tokenise } from '../arm-plans.ts'
import type { AuditConfig } from '../config.ts'
import type { DirectionConfig } from './config.ts'

interface Of {
  readonly base: Base
  readonly arms: readonly ArmPlan[]
  readonly config: AuditConfig
  readonly asked: Pick<DirectionConfig, 'benign' | 'draws'>
  readonly isHouse: boolean
}

const NONE =
  'Without benign data (--benign FILE) nothing says how much of a direction benign fine-tunes share; whether one was removed is not tested.'

/** With the method of an arm, or for a candidate with that of the first arm, or the plainest one, and the training of the run. */
export async function benignOf(
  { base, arms, config, asked, isHouse }: Of,
  context: JobContext,
): Promise<(arm: string) => BenignPlan | undefined> {
  const named = asked.benign ?? (isHouse ? HOUSE_BENIGN : null)
  if (named === null) {
    emitLog(context, 'warn', NONE)
    return () => undefined
  }
  const data = await trainingData(named)
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
