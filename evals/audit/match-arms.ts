/**
 * @file Trains arms again up to the step at which their training losses are equal, and evaluates them there. A state depends only
 * on data, plan, seed and step, so retraining reproduces it. The weights are deleted after the evaluation.
 */
import { rm } from 'node:fs/promises'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { SubjectKey } from '../contract/rows.ts'
import type { JobContext } from '../contract/job.ts'
import type { Progress } from '../contract/job.ts'
import { armFolder, runArm } from '../arms/arm.ts'
import type { ArmPlan, FinishedArm } from '../arms/arm-plan.ts'
import type { Base } from '../measure/base.ts'
import type { AuditConfig } from './config.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import { matchedSteps } from '../findings/matched.ts'
import { spectralMatrices } from '../measure/arm-spectra.ts'

interface Matching {
  readonly base: Base
  readonly config: AuditConfig
  readonly arms: readonly ArmPlan[]
  readonly evaluation: EvaluationPlan | undefined
}

const asideOf = ({ workspace }: JobContext, key: Pick<SubjectKey, 'arm' | 'seed'>): string =>
  `${armFolder(workspace, key)}-matched`

/** Trains and returns the matched states not measured yet; their training states are kept until `forgetMatched`. */
export async function matchArms(
  { base, config, arms, evaluation }: Matching,
  context: JobContext,
  progress: Progress,
): Promise<FinishedArm[]> {
  if (!config.matchLoss || !evaluation) return []
  context.flush()
  const rows = progress.rows()
  const found: FinishedArm[] = []
  const order = arms.map(({ arm }) => arm)
  for (const { seed, arms: points } of matchedSteps(rows.metrics, order)) {
    for (const { arm, step } of points) {
      const plan = arms.find((each) => each.arm === arm && each.seed === seed)
      if (!plan || isMeasured({ arm, seed, step }, rows, { base, config, evaluation })) continue
      const aside = asideOf(context, { arm, seed })
      const again = {
        ...plan,
        evaluateAt: [step],
        // Reports show those of the last step.
        evaluation: { ...evaluation, measures: [] },
        aside,
        onEvaluated: undefined,
        refusalMargin: undefined,
      }
      found.push(await runArm(base, again, context))
    }
  }
  return found
}

export async function forgetMatched(arms: readonly ArmPlan[], context: JobContext): Promise<void> {
  for (const plan of arms) {
    await rm(asideOf(context, plan), { recursive: true, force: true })
  }
}

/** Whether the matched step was evaluated during training already, with its spectra if they are wanted. */
function isMeasured(
  { arm, seed, step }: SubjectKey,
  { evaluations, spectra }: AuditRows,
  { base, config, evaluation }: Pick<Matching, 'base' | 'config'> & { evaluation: EvaluationPlan },
): boolean {
  const isHere = (row: SubjectKey) => row.arm === arm && row.seed === seed && row.step === step
  const names = new Set(evaluations.filter(isHere).map(({ benchmark }) => benchmark))
  const isAsked = evaluation.benchmarks.every(({ benchmark }) => names.has(benchmark.name))
  const matrices = config.spectra ? spectralMatrices(base).length : 0
  return isAsked && spectra.filter(isHere).length >= matrices
}
