/** @file Trains and measures the arms of an audit, exports what is kept and deletes the rest. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext, Progress } from '../contract/job.ts'
import { forgetElsewhere, trainElsewhere } from './elsewhere/arms-elsewhere.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { exists } from '../files/read-file.ts'
import { writeAtomically } from '../files/write-file.ts'
import { armFolder, runArm } from '../arms/arm.ts'
import type { ArmPlan, FinishedArm } from '../arms/arm-plan.ts'
import { allTuned } from '../arms/arm-adapter.ts'
import type { FederatedPlan } from '../arms/federation/federation-plan.ts'
import { runFederation } from '../arms/federation/rounds.ts'
import type { Base } from '../measure/base.ts'
import type { Candidate } from '../measure/candidate.ts'
import type { AuditConfig } from './config.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import { forgetMatched, matchArms } from './match-arms.ts'
import { mitigateAll } from '../arms/mitigation.ts'
import { remedyAll } from '../arms/remedies/run-remedies.ts'
import { remediesIn } from './remedies.ts'
import { exportKept, mendedRetention, removeRest, retentionByArm } from '../arms/retention.ts'
import { scanSpectra } from '../measure/arm-spectra.ts'
import type { Studied, Study } from './subjects/kind.ts'

/** Marks a run whose arms are measured and exported, so that a resumed run does not train again. */
const settledPath = ({ workspace }: JobContext) => join(workspace, 'settled')

interface TrainedArms {
  readonly base: Base
  readonly config: AuditConfig
  readonly arms: readonly (ArmPlan | FederatedPlan)[]
  /** Whether clients of a federation hold data that breaks rules on purpose. */
  readonly isTampering?: boolean | undefined
  readonly candidates: readonly Candidate[]
  readonly evaluation: EvaluationPlan | undefined
  readonly study?: Study | undefined
}

export async function runArms(
  work: TrainedArms,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const { base, config, arms, isTampering, study } = work
  const isSettled = await exists(settledPath(context))
  if (study) {
    if (!isSettled) await lookInto(work, study, context)
    return forget(arms, context)
  }
  const finished = isSettled ? [] : await measureArms(work, context, progress)
  context.flush()
  const rows = progress.rows()
  const retention = await retentionByArm({ ...config, isTampering }, progress)
  if (!isSettled) {
    for (const arm of finished) await exportKept(base, arm, retention(arm.key.arm), context)
    await settle(context)
    await forgetElsewhere(context)
  }
  for (const { arm, seed } of arms) {
    await removeRest({ arm, seed }, retention(arm), context, rows.weights)
  }
}

/** The plans as they are run here: of arms that ran elsewhere nothing but opening their states is left. */
async function placed(
  { base, config, arms }: Pick<TrainedArms, 'base' | 'config' | 'arms'>,
  context: JobContext,
  progress: Progress,
): Promise<TrainedArms['arms']> {
  if (config.on === 'local') return arms
  if (config.sequential !== null) {
    throw usageError(
      'Fine-tunes that are measured elsewhere cannot have the base asked on, as --sequential needs it.',
      'Leave --on or --sequential out.',
    )
  }
  return trainElsewhere({ base, config }, arms, context, progress)
}

async function settle(context: JobContext): Promise<void> {
  context.flush()
  await mkdir(context.workspace, { recursive: true })
  await writeAtomically(settledPath(context), [''])
}

async function lookInto(
  { base, arms, candidates, evaluation }: TrainedArms,
  study: Study,
  context: JobContext,
): Promise<void> {
  const known = { base, evaluation: evaluation! }
  const plans = arms.flatMap((plan) => ('federation' in plan ? [] : [studied(plan, study, known)]))
  const finished: FinishedArm[] = []
  for (const plan of plans) finished.push(await runArm(base, plan, context))
  await study.look({ ...known, arms: plans, tuned: [...candidates, ...allTuned(base, finished)] })
  await settle(context)
}

/** Asked at its last step alone. */
function studied(plan: ArmPlan, { along }: Study, known: Pick<Studied, 'base' | 'evaluation'>) {
  const last = [plan.training.steps]
  if (!along) return { ...plan, evaluateAt: last }
  const evaluation = {
    ...known.evaluation,
    benchmarksAt: last,
    neutral: [],
    texts: [],
    heldOut: [],
  }
  const onEvaluated = (state: FinishedArm) =>
    along({ ...known, tuned: allTuned(known.base, [state]) })
  return { ...plan, evaluation, onEvaluated }
}

/** What was trained again for a study was kept or deleted by the run that it is of. */
async function forget(arms: TrainedArms['arms'], { workspace }: JobContext): Promise<void> {
  for (const arm of arms) await rm(armFolder(workspace, arm), { recursive: true, force: true })
}

async function measureArms(
  { base, config, arms, isTampering, candidates, evaluation }: TrainedArms,
  context: JobContext,
  progress: Progress,
): Promise<FinishedArm[]> {
  const finished: FinishedArm[] = []
  for (const plan of await placed({ base, config, arms }, context, progress))
    finished.push(
      'federation' in plan
        ? await runFederation(base, plan, context)
        : await runArm(base, plan, context),
    )
  const tuned = [...candidates, ...allTuned(base, finished)]
  const matched = await matchArms({ base, config, arms, evaluation }, context, progress)
  const asTuned = allTuned(base, matched)
  if (config.spectra) await scanSpectra(base, [...tuned, ...asTuned], context, config)
  await forgetMatched(arms, context)
  const subjects = () => progress.rows().subjects
  await mitigateAll(base, { tuned, config, evaluation, subjects }, context)
  const plans = finished.map(({ plan }) => plan)
  const retention = mendedRetention({ ...config, isTampering }, progress)
  const remedies = { tuned, plans, remedies: remediesIn(config), price: config.margin, evaluation }
  await remedyAll(base, { ...remedies, retention }, context, progress)
  return finished
}
