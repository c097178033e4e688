/** @file A fine-tune trained again for a remedy, in folders of its own that are removed when the remedy is done. */
import { rm } from 'node:fs/promises'
import { remedyArm } from '../../contract/subjects/remedy-state.ts'
import { tunedOf } from '../arm-adapter.ts'
import { armFolder, runArm } from '../arm.ts'
import type { ArmPlan, FinishedArm } from '../arm-plan.ts'
import type { FineTune, MadeWeights } from './remedy.ts'

type State = Pick<Parameters<typeof remedyArm>[0], 'role' | 'value'>
const ROLES = ['tried', 'control'] as const

interface Remedied {
  readonly remedy: string
  readonly values: readonly number[]
}

export function trainings({ base, context, tuned }: FineTune, { remedy, values }: Remedied) {
  const { arm: of, seed } = tuned.key
  const armOf = (state: State) => remedyArm({ ...state, remedy, of })
  const folderOf = (state: State) => armFolder(context.workspace, { arm: armOf(state), seed })
  /** Trained to its last step, from where it was interrupted; nothing is measured on the way. */
  async function run(asked: State, plan: ArmPlan, isAnew = false): Promise<FinishedArm> {
    const [arm, aside] = [armOf(asked), folderOf(asked)]
    if (isAnew) await rm(aside, { recursive: true, force: true })
    const quiet = { evaluation: undefined, evalTogether: false, refusalMargin: undefined }
    return runArm(base, { onEvaluated: undefined, ...plan, ...quiet, arm, aside }, context)
  }
  return {
    /** Past every one of these steps, also where it was interrupted between them. */
    along: (asked: State, plan: ArmPlan, reached: NonNullable<ArmPlan['onEvaluated']>) =>
      run(asked, { ...plan, onEvaluated: reached }, true),
    weights: async (asked: State, plan: ArmPlan): Promise<MadeWeights> => {
      const { training } = plan
      const last = { ...plan, evaluateAt: [training.steps], onEvaluated: undefined }
      const trained = await run(asked, last)
      return { ...tunedOf(base, trained).weights, trained }
    },
    /** Also of a process that was interrupted before. */
    async close(): Promise<void> {
      for (const role of ROLES)
        for (const value of values)
          await rm(folderOf({ role, value }), { recursive: true, force: true })
    },
  }
}
