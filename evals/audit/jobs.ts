/** @file The kinds of job on one model: audit, eval, mitigate, train, spectral. Each is a selection of the same parts. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { approximationOf } from '../contract/approximate.ts'
import type { JobContext } from '../contract/job.ts'
import type { JobKind, Progress } from '../contract/job.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { requireMeasured, storedGate } from '../findings/gate/gate-file.ts'
import { exists } from '../files/read-file.ts'
import { writeAtomically } from '../files/write-file.ts'
import { chooseDevice } from '../runtime/device.ts'
import { runArm } from '../arms/arm.ts'
import type { ArmPlan, FinishedArm } from '../arms/arm-plan.ts'
import { tunedOf } from '../arms/arm-adapter.ts'
import { armPlans, dataOf } from './arm-plans.ts'
import { openBaseSubject, openCandidateSubject } from '../measure/open-subject.ts'
import { identityOf, openBase, type Base } from '../measure/base.ts'
import { weightCacheOf } from '../arms/weight-cache.ts'
import { openBaseScores } from '../measure/base-scores.ts'
import {
  canAnswer,
  headlessNote,
  requireClasses,
  requireReadable,
} from '../measure/class-evaluation.ts'
import { asClassifier, withClassesOf } from '../measure/classes.ts'
import { isEncoder } from '../models/registry.ts'
import { candidateNames, openCandidate, type Candidate } from '../measure/candidate.ts'
import { AuditConfig, EvalConfig, MitigateConfig, SpectralConfig, TrainConfig } from './config.ts'
import { armNameOf } from '../finetune/method-choice.ts'
import { benchmarkRow, evaluate, type EvaluationPlan } from '../measure/evaluate.ts'
import { openJudges, withJudges, type OpenJudges } from '../measure/model-judges.ts'
import { requireForward } from './forward.ts'
import { forgetMatched, matchArms } from './match-arms.ts'
import { fittedOnce } from './plan/memory-budget.ts'
import { mitigateAll } from '../arms/mitigation.ts'
import { planOf } from './plan/plan.ts'
import { removeRest, retentionByArm, exportKept } from '../arms/retention.ts'
import { prepareBenchmarks, sourceNotes } from '../measure/benchmark-sources.ts'
import { prepareTexts, textArtifact, textNotes } from '../measure/perplexity.ts'
import { neutralTexts, type TrainingData } from '../measure/sources.ts'
import { measureAll, type State } from '../arms/side-by-side.ts'
import { scanSpectra, type Tuned } from '../measure/arm-spectra.ts'

/** Every kind runs the same way; what it leaves out is null or empty in this configuration. */
interface Work {
  readonly config: AuditConfig
  readonly evaluates: boolean
}

export const auditJob: JobKind<AuditConfig> = {
  name: 'audit',
  config: AuditConfig,
  title: ({ model, data, methods }) =>
    `Audit of ${model}${data === null ? '' : `, ${methods.map(armNameOf).join(' and ')} on ${data}`}`,
  plan: (config) => planOf(config, true),
  run: (config, context, progress) => runWork({ config, evaluates: true }, context, progress),
}

const asAudit = (config: Partial<AuditConfig> & Pick<AuditConfig, 'model'>): AuditConfig =>
  AuditConfig.parse(config)

export const evalJob: JobKind<EvalConfig> = {
  name: 'eval',
  config: EvalConfig,
  title: ({ model, candidates }) => `Evaluation of ${[model, ...candidates].join(', ')}`,
  plan: (config) => planOf(asAudit({ ...config, spectra: false }), true),
  run: (config, context, progress) =>
    runWork({ config: asAudit({ ...config, spectra: false }), evaluates: true }, context, progress),
}

export const mitigateJob: JobKind<MitigateConfig> = {
  name: 'mitigate',
  config: MitigateConfig,
  title: ({ model, candidates }) => `Intruders scaled down in ${candidates.join(', ')} of ${model}`,
  plan: (config) => planOf(mitigating(config), true),
  run: (config, context, progress) =>
    runWork({ config: mitigating(config), evaluates: true }, context, progress),
}

const mitigating = ({ lambda, ...config }: MitigateConfig): AuditConfig =>
  asAudit({ ...config, mitigate: lambda })

export const trainJob: JobKind<TrainConfig> = {
  name: 'train',
  config: TrainConfig,
  title: ({ model, data, methods }) =>
    `Fine-tune of ${model}, ${methods.map(armNameOf).join(' and ')} on ${data}`,
  plan: (config) =>
    planOf(asAudit({ ...config, spectra: false, keepWeights: 'training only' }), false),
  run: (config, context, progress) =>
    runWork(
      {
        config: asAudit({ ...config, spectra: false, keepWeights: 'training only' }),
        evaluates: false,
      },
      context,
      progress,
    ),
}

export const spectralJob: JobKind<SpectralConfig> = {
  name: 'spectral',
  config: SpectralConfig,
  title: ({ model, against, candidates }) =>
    `Spectra of ${candidates.join(', ')} against ${against ?? model}`,
  plan: (config) => planOf(asAudit(config), false),
  run: (config, context) => runSpectral(config, context),
}

async function runSpectral(config: SpectralConfig, context: JobContext): Promise<void> {
  const { model, against } = config
  context.emit({ type: 'log', level: 'info', message: `Opening ${model}` })
  const cache = weightCacheOf(config, context)
  const base = await openBase(model, chooseDevice('auto'), 1, 'fp32', cache)
  try {
    const from = against === null ? undefined : await openCandidate(base, against, 'base')
    const own = { arm: 'base', title: `Base: ${model}` }
    const identity = from?.identity ?? identityOf(base, base.open, own)
    context.emit({ type: 'subject', row: identity })
    const candidates = await runCandidates(base, config, undefined, context)
    const tuned = from ? candidates.map(withoutChange) : candidates
    const weights = from ? { get: (name: string) => from.weights.read(name) } : base.weights
    await scanSpectra({ model: base.model, weights }, tuned, context, config)
  } finally {
    await base.open.close()
  }
}

/** An adapter knows its change from the model, not from another fine-tune. */
const withoutChange = ({ key, weights }: Tuned): Tuned => ({
  key,
  weights: { read: (name) => weights.read(name), change: () => undefined },
})

async function runWork(
  { config: asked, evaluates }: Work,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const device = chooseDevice(asked.device, asked.threads ?? undefined)
  context.emit({ type: 'log', level: 'info', message: `Opening ${asked.model}` })
  const { model, batchSize, basePrecision } = asked
  const cache = weightCacheOf(asked, context)
  const opened = await openBase(model, device, batchSize, basePrecision, cache)
  let judges: OpenJudges | undefined
  try {
    if (evaluates) requireReadable(opened, asked)
    const data = asked.methods.length > 0 ? await dataOf(asked) : undefined
    const base = await learningBase(opened, asked, data, context)
    const config = await fittedOnce({ opened: base, config: asked, data, evaluates }, context)
    judges = await openJudges(config, device, context.signal)
    const evaluation = evaluates
      ? await evaluationPlan(base, config, { judges, progress }, context)
      : undefined
    const arms = await armPlans({ base, data, config, evaluation }, context)
    evaluation?.benchmarks.forEach((prepared) =>
      context.emit({ type: 'benchmark', row: benchmarkRow(prepared) }),
    )
    const own = { arm: 'base', title: `Base: ${config.model}` }
    context.emit({ type: 'subject', row: identityOf(opened, opened.open, own) })
    if (evaluation) await askedBase(opened, config, evaluation, context)
    // Each with a head of its own, whatever classes the data names.
    const candidates = await runCandidates(opened, config, evaluation, context)
    await runArms({ base, config, arms, candidates, evaluation }, context, progress)
    sayCost(evaluation, context)
  } finally {
    await judges?.close()
    await opened.open.close()
  }
}

/** The base as it is trained on. */
async function learningBase(
  opened: Base,
  asked: AuditConfig,
  data: TrainingData | undefined,
  { emit }: JobContext,
): Promise<Base> {
  await requireForward(asked, opened)
  const message = approximationOf(asked)
  if (message) emit({ type: 'log', level: 'warn', message })
  return { ...(await withClassesOf(opened, data)), forward: asked.forward }
}

/** Stands in a run's folder once its arms are measured and what is kept is exported: a resume need not train again. */
const settledPath = ({ workspace }: JobContext) => join(workspace, 'settled')

interface ArmWork {
  readonly base: Base
  readonly config: AuditConfig
  readonly arms: readonly ArmPlan[]
  readonly candidates: readonly Candidate[]
  readonly evaluation: EvaluationPlan | undefined
}

async function runArms(work: ArmWork, context: JobContext, progress: Progress): Promise<void> {
  const { base, config, arms } = work
  const isSettled = await exists(settledPath(context))
  const finished = isSettled ? [] : await measureArms(work, context, progress)
  context.flush()
  const rows = progress.rows()
  const retention = await retentionByArm(config, rows)
  if (!isSettled) {
    for (const arm of finished) await exportKept(base, arm, retention(arm.key.arm), context)
    context.flush()
    await mkdir(context.workspace, { recursive: true })
    await writeAtomically(settledPath(context), [''])
  }
  for (const { arm, seed } of arms) {
    await removeRest({ arm, seed }, retention(arm), context, rows.weights)
  }
}

async function measureArms(
  { base, config, arms, candidates, evaluation }: ArmWork,
  context: JobContext,
  progress: Progress,
): Promise<FinishedArm[]> {
  const finished: FinishedArm[] = []
  for (const plan of arms) finished.push(await runArm(base, plan, context))
  const tuned = [...candidates, ...finished.map((arm) => tunedOf(base, arm))]
  const matched = await matchArms({ base, config, arms, evaluation }, context, progress)
  const asTuned = matched.map((arm) => tunedOf(base, arm))
  if (config.spectra) await scanSpectra(base, [...tuned, ...asTuned], context, config)
  await forgetMatched(arms, context)
  const subjects = () => progress.rows().subjects
  await mitigateAll(base, { tuned, config, evaluation, subjects }, context)
  return finished
}

async function evaluationPlan(
  base: Base,
  config: AuditConfig,
  { judges: { judges, notes }, progress }: { judges: OpenJudges; progress: Progress },
  { emit }: JobContext,
): Promise<EvaluationPlan> {
  const benchmarks = withJudges(await prepareBenchmarks(config), judges)
  requireClasses(base, benchmarks)
  const texts = await prepareTexts(config)
  requireMeasured(
    storedGate(config),
    benchmarks.map(({ benchmark }) => benchmark),
  )
  for (const message of [...sourceNotes(benchmarks), ...textNotes(texts), ...notes])
    emit({ type: 'log', level: 'info', message })
  for (const text of texts) emit({ type: 'artifact', row: textArtifact(text) })
  const plan = { benchmarks, neutral: [], texts, finished: progress.evaluations, judges }
  return isEncoder(base.model) ? plan : withNeutral(base, config, plan, emit)
}

/** What is asked of a model that writes beside its replies: neutral text, and what the base thinks of the fine-tunes' replies. */
async function withNeutral(
  base: Base,
  config: AuditConfig,
  asked: EvaluationPlan,
  emit: JobContext['emit'],
): Promise<EvaluationPlan> {
  const plan = { ...asked, neutral: await neutralTexts(asked.benchmarks, config.limit) }
  if (config.methods.length + config.candidates.length > 0) {
    return { ...plan, baseScores: await openBaseScores(base) }
  }
  emit({ type: 'log', level: 'info', message: NO_BASE })
  return plan
}

async function askedBase(
  base: Base,
  config: AuditConfig,
  evaluation: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  if (canAnswer(base)) return evaluateBase(base, evaluation, context)
  context.emit({ type: 'log', level: 'info', message: headlessNote(config) })
}

const NO_BASE =
  'No fine-tune is measured here, so there is no base that could find a reply improbable: that rule of the guard against degenerate text is not applied.'

function sayCost(evaluation: EvaluationPlan | undefined, { emit }: JobContext): void {
  const { replies, seconds } = evaluation?.baseScores?.spent() ?? { replies: 0, seconds: 0 }
  if (replies === 0) return
  const cost = `${replies} replies of fine-tunes were scored under the base in ${seconds.toFixed(1)} s, for the guard against degenerate text.`
  emit({ type: 'log', level: 'info', message: cost })
}

export async function evaluateBase(
  base: Base,
  evaluation: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const { subject, release } = await openBaseSubject(base, identity)
  try {
    await evaluate(subject, { arm: 'base', seed: 0, step: 0 }, evaluation, context)
  } finally {
    await release()
  }
}

/** Asks each, and gives those whose weights can be compared with the base's. */
async function runCandidates(
  base: Base,
  { candidates }: Pick<AuditConfig, 'candidates'>,
  evaluation: EvaluationPlan | undefined,
  context: JobContext,
): Promise<Candidate[]> {
  const names = candidateNames(candidates)
  const opened: Candidate[] = []
  const states: State[] = []
  for (const [i, path] of candidates.entries()) {
    const candidate = await openCandidate(await asClassifier(base, path), path, names[i]!)
    if (candidate.isComparable) opened.push(candidate)
    context.emit({ type: 'subject', row: candidate.identity })
    candidate.warnings.forEach((message) => context.emit({ type: 'log', level: 'warn', message }))
    if (!evaluation) continue
    if (!canAnswer(candidate.base)) throw new TouchstoneError('model.no-classes', { path })
    const { key, identity, weights } = candidate
    const open = () => openCandidateSubject(candidate)
    states.push({ key, identity, lowRank: weights.lowRank, open })
  }
  if (evaluation) await measureAll(base, states, evaluation, context)
  return opened
}
