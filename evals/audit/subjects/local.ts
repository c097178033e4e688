/** @file An audit of models that run here: opens the base, evaluates it and its candidates, and trains and measures the arms. */
import { approximationOf, cacheApproximationOf } from '../../contract/approximate.ts'
import { emitLog, type JobContext, type Progress } from '../../contract/job.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { chooseDevice, type Device } from '../../runtime/device.ts'
import { armPlans, dataOf } from '../arm-plans.ts'
import { askedOn, type Base, identityOf, openBase } from '../../measure/base.ts'
import { weightCacheOf } from '../../arms/weight-cache.ts'
import { requireReadable } from '../../measure/class-evaluation.ts'
import { withClassesOf } from '../../measure/classes.ts'
import type { AuditConfig } from '../config.ts'
import { planOf } from '../plan/plan.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import { benchmarkRow, type EvaluationPlan } from '../../measure/evaluate.ts'
import { judgeRows, type OpenJudges, openJudges } from '../../measure/open-judges.ts'
import { requireSameInputs } from '../causes/same-inputs.ts'
import { keptAnswers } from '../kept-answers.ts'
import type { AuditWork, SubjectKind } from './kind.ts'
import { requireForward } from '../forward.ts'
import { keptText } from '../plan/memory.ts'
import { fittedOnce, tellTooLarge, type BudgetRequest } from '../plan/memory-budget.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { checkRemedies, remediesIn } from '../remedies.ts'
import { evaluateBaseIfPossible, evaluateCandidates, openCandidates } from '../evaluate-models.ts'
import { runArms } from '../run-arms.ts'
import { emitBaseScoreCost, evaluationPlan } from '../evaluation-plan.ts'

export const localModels: SubjectKind = {
  owns: () => true,
  plan: planOf,
  run: runLocal,
}

async function runLocal(
  { config: asked, evaluates, own, federated, study }: AuditWork,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const given = { ...asked, candidates: candidatesOf(asked) }
  remediesIn(given)
  const device = chooseDevice(given.device, given.threads ?? undefined)
  emitLog(context, 'info', `Opening ${given.model}`)
  const opened = await openedBase(given, device, context)
  let judges: OpenJudges | undefined
  try {
    tellKept(opened, given, context)
    if (evaluates && !own) requireReadable(opened, given)
    const isTrained = given.methods.length > 0 && !federated
    const data = isTrained ? (own?.data ?? (await dataOf(given))) : undefined
    const base = await learningBase(opened, given, data, context)
    const request = { opened: base, config: given, data, evaluates }
    const config = await fittedHere(request, !own && !federated && !study, context)
    judges = await openJudges(config, device, context.signal)
    const evaluation = evaluates
      ? await planned(base, config, { judges, progress, own }, context)
      : undefined
    const candidates = await checkedCandidates(opened, config, evaluates)
    const arms =
      (await federated?.plans(base, evaluation)) ??
      (await armPlans({ base, data, config, evaluation }, context))
    if (study) requireSameInputs(study.of, { base: opened, arms, candidates })
    tellAsked(opened, config, evaluation, context)
    tellPlanned({ arms, candidates, evaluation: study ? undefined : evaluation }, context)
    if (evaluation) await evaluateBaseIfPossible(opened, config, evaluation, context)
    const measured = await evaluateCandidates(opened, candidates, evaluation, context)
    const made = { arms, candidates: measured, evaluation, study }
    await runArms({ base, config, ...made, isTampering: federated?.isTampering }, context, progress)
    emitBaseScoreCost(evaluation, context)
  } finally {
    await judges?.close()
    await opened.open.close()
  }
}

/** What the run is stopped before is not measured, and the gate says so. */
function tellPlanned(
  {
    arms,
    candidates,
    evaluation,
  }: Pick<Parameters<typeof runArms>[0], 'arms' | 'candidates' | 'evaluation'>,
  { emit }: JobContext,
): void {
  if (!evaluation) return
  const trained = arms.map(({ arm, seed, ...plan }) => {
    const step = 'federation' in plan ? plan.federation.rounds : plan.training.steps
    return { arm, seed, step }
  })
  emit({ type: 'planned', states: [...candidates.map(({ key }) => key), ...trained] })
}

function tellKept({ model }: Base, { basePrecision }: AuditConfig, context: JobContext): void {
  const kept = keptText(model, basePrecision)
  if (kept) emitLog(context, 'info', kept)
}

/** @param isTold whether what is asked and trained is the configuration’s own */
async function fittedHere(
  request: BudgetRequest<AuditConfig>,
  isTold: boolean,
  context: JobContext,
): Promise<AuditConfig> {
  const config = await fittedOnce(request, context)
  if (isTold) await tellTooLarge({ ...request, config }, context)
  return config
}

/** What is wrong with candidates, or with what remedies name, is known before anything is measured. */
async function checkedCandidates(base: Base, config: AuditConfig, evaluates: boolean) {
  await checkRemedies(config, base.model)
  return openCandidates(base, config, evaluates)
}

/** With what earlier runs kept of the base. */
function planned(
  base: Base,
  config: AuditConfig,
  asked: Parameters<typeof evaluationPlan>[2],
  context: JobContext,
): Promise<EvaluationPlan> {
  const kept = keptAnswers(base, config, asked.progress, context)
  return evaluationPlan(base, config, { ...asked, kept }, context)
}

function tellAsked(
  base: Base,
  { model }: AuditConfig,
  evaluation: EvaluationPlan | undefined,
  { emit }: JobContext,
): void {
  for (const prepared of [...(evaluation?.benchmarks ?? []), ...(evaluation?.unasked ?? [])])
    emit({ type: 'benchmark', row: benchmarkRow(prepared) })
  for (const row of judgeRows(evaluation?.judges ?? [])) emit({ type: 'artifact', row })
  const named = { arm: 'base', title: `Base: ${model}` }
  emit({ type: 'subject', row: identityOf(base, base.open, named) })
}

/** On a device that keeps keys and values as the configuration says. */
export function openedBase(
  given: AuditConfig,
  device: Device,
  context: Pick<JobContext, 'emit'>,
): Promise<Base> {
  const { model, batchSize, basePrecision, templateVars } = given
  const cache = weightCacheOf(given, context)
  const variables = templateVariablesOf(templateVars)
  return openBase(model, askedOn(device, given), batchSize, basePrecision, cache, variables)
}

/** The base with the data's classes and the forward pass of training. */
export async function learningBase(
  opened: Base,
  given: AuditConfig,
  data: TrainingData | undefined,
  { emit }: JobContext,
): Promise<Base> {
  await requireForward(given, opened)
  for (const message of [approximationOf(given), cacheApproximationOf(given)])
    if (message) emitLog({ emit }, 'warn', message)
  return { ...(await withClassesOf(opened, data)), forward: given.forward }
}
