/** @file A fine-tune trained again for a remedy, in folders of its own that are removed when the remedy is done. */
import { rm } from 'node:fs/promises'
import { remedyArm } from '../../contract/subjects/remedy-state.ts'
import { tunedOf } from '../arm-adapter.ts'
import { armFolder, runArm } from '../arm.ts'
import type { ArmPlan, FinishedArm } from '../arm-plan.ts'
import type { FineTune, MadeWeights } from './remedy.ts'

type Asked = Pick<Parameters<typeof remedyArm>[0], 'remedy' | 'role' | 'value'>

export function trainings({ base, context, tuned }: FineTune) {
  const folders = new Set<string>()
  /** Trained to its last step, from where it was interrupted; nothing is measured on the way. */
  async function run(asked: Asked, plan: ArmPlan, isAnew = false): Promise<FinishedArm> {
    const arm = remedyArm({ ...asked, of: tuned.key.arm })
    const aside = armFolder(context.workspace, { arm, seed: plan.seed })
    folders.add(aside)
    if (isAnew) await rm(aside, { recursive: true, force: true })
    const quiet = { evaluation: undefined, evalTogether: false, refusalMargin: undefined }
    return runArm(base, { onEvaluated: undefined, ...plan, ...quiet, arm, aside }, context)
  }
  return {
    /** Past every one of these steps, also where it was interrupted between them. */
    along: (asked: Asked, plan: ArmPlan, reached: NonNullable<ArmPlan['onEvaluated']>) =>
      run(asked, { ...plan, onEvaluated: reached }, true),
    weights: async (asked: Asked, plan: ArmPlan): Promise<MadeWeights> => {
      const { training } = plan
      const last = { ...plan, evaluateAt: [training.steps], onEvaluated: undefined }
      const trained = await run(asked, last)
      return { ...tunedOf(base, trained).weights, trained }
    },
    async close(): Promise<void> {
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  }
}
