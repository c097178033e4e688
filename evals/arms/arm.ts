/** @file Trains one arm, evaluates its states at the planned steps, and saves its training state so that it can be resumed. */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { isError } from '../errors/touchstone-error.ts'
import { countLabelled, longestRow, type Example } from '../finetune/training/dataset.ts'
import type { Prepared } from '../finetune/method.ts'
import { isTrained, type ParameterSlice } from '../finetune/training/parameters.ts'
import { loadTrainingState, saveTrainingState } from '../finetune/training/state.ts'
import { newOptimizerState, train, type StepReport } from '../finetune/training/train.ts'
import type { TrainingSession } from '../finetune/training/session.ts'
import { openTraining } from '../finetune/training/train-graph.ts'
import type { JobContext } from '../contract/job.ts'
import { exists } from '../files/read-file.ts'
import { nameOf, titleOf, type ArmPlan, type ArmRun, type FinishedArm } from './arm-plan.ts'
import { stateEvaluator, stateOf } from './arm-states.ts'
import { isAskedAsTrained, tunedOf } from './arm-adapter.ts'
import { requireChanged } from './trained-nothing.ts'
import { digestOf, identityOf, type Base } from '../measure/base.ts'
import { sha256OfFile } from '../files/digest.ts'
import { requireTrainable } from './graph-base.ts'
import { openRefusalMargin } from '../measure/live-refusal-margin.ts'

const SAVE_EVERY_MS = 30_000

export const armFolder = (
  workspace: string,
  { arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>,
): string => join(workspace, 'arms', `${arm.replaceAll(/[^\w.-]+/g, '-')}-seed${seed}`)

export const statePathIn = (folder: string): string => join(folder, 'training-state.safetensors')

/** Fields that must be equal in a saved state for training to continue from it. */
const identityOfPlan = (
  base: Base,
  { method, seed, training, dataDigest }: ArmPlan,
  { prepared }: Pick<TrainingSession, 'prepared'>,
): Record<string, string> => ({
  base: base.digest,
  method: method.name,
  configuration: JSON.stringify([method.settings, training]),
  seed: String(seed),
  data: dataDigest,
  threads: String(base.device.threads),
  ...(method.prepare ? { start: startDigest(prepared) } : {}),
})

/** sha256 over the names and bits of the prepared start. */
function startDigest({ parameters, weights }: Prepared): string {
  const hash = createHash('sha256')
  for (const [name, data] of [...(parameters ?? []), ...(weights ?? [])]) {
    hash.update(`${name}\n${data.length}\n`)
    hash.update(data)
  }
  return hash.digest('hex')
}

export async function runArm(base: Base, plan: ArmPlan, context: JobContext): Promise<FinishedArm> {
  requireTrainable(base, plan)
  const folder = plan.aside ?? armFolder(context.workspace, plan)
  await mkdir(folder, { recursive: true })
  const session = await openSessionOf(base, plan)
  // Training changes the session's own numbers. Of whole weights the start is the base, and a copy would be as large.
  const start = plan.method.trainable ? undefined : session.parameters.slice()
  const statePath = statePathIn(folder)
  const identity = identityOfPlan(base, plan, session)
  const isResumed = await exists(statePath)
  const state = isResumed
    ? await loadTrainingState(statePath, identity, session.memorySize)
    : newOptimizerState(session.parameters, session.memorySize)
  const arm = { arm: plan.arm, seed: plan.seed }
  const shared = { base, plan, context, session, start, state, folder, statePath, identity, arm }
  const run: ArmRun = { ...shared, savedAt: Date.now() }
  emitSubject(run, {})
  try {
    // If the process was killed between writing the file and its row, the row is missing.
    if (isResumed) await emitCheckpoint(run)
    await trainAndEvaluate(run)
  } finally {
    await session.release()
  }
  const trained = digestOf(state.parameters)
  // What trains the base's own weights ends as other weights, not as an adapter.
  emitSubject(run, plan.method.trainable ? { weightsDigest: trained } : { adapterDigest: trained })
  return stateOf(run, state)
}

/** `others` are texts beside the examples that gradients will be taken of. */
export function openSessionOf(
  base: Base,
  { method, seed, training, examples }: ArmPlan,
  others: readonly Example[] = [],
): Promise<TrainingSession> {
  const { checkpointing, batchSize, packing } = training
  return openTraining({
    ...base,
    method,
    seed,
    checkpointing,
    oneText: !packing,
    maxPositions: Math.max(2, longestRow([...examples, ...others])),
    data: { examples, padId: base.open.tokenizer.padId },
    labelled: (batchSize * countLabelled(examples)) / examples.length,
  })
}

export function emitSubject(
  { base, plan, session, context, arm }: ArmRun,
  own: Pick<Partial<SubjectIdentity>, 'adapterDigest' | 'weightsDigest'>,
): void {
  if (plan.aside !== undefined) return
  const row = identityOf(base, base.open, {
    ...arm,
    title: `${titleOf(plan)}, seed ${plan.seed}`,
    method: plan.method.name,
    trainableParameters: session.table.trained,
    ...own,
  })
  context.emit({ type: 'subject', row })
}

/** Trains to each step of `evaluateAt` and evaluates the state there. */
async function trainAndEvaluate(run: ArmRun): Promise<void> {
  const { plan, session, state } = run
  const evaluator = plan.evaluation && stateEvaluator(run, plan.evaluation)
  try {
    for (const step of plan.evaluateAt) {
      if (state.step > step) continue
      await trainTo(run, step)
      // Nothing is trained after it, and the graph is as large as the model that is asked next.
      if (step === plan.training.steps) await session.release()
      if (step === plan.evaluateAt.at(-1)) requireTrained(run)
      await evaluator?.reached()
      if (step < plan.training.steps) await plan.onEvaluated?.(stateOf(run, state))
    }
  } catch (error) {
    if (isError(error, 'training.not-finite')) await evaluator?.stoppedEarly()
    throw error
  }
}

/** Nothing is decided of what changed nothing. */
function requireTrained(run: ArmRun): void {
  const { base, plan, start: parameters, state } = run
  if (!plan.evaluation || plan.aside !== undefined || state.step === 0) return
  const start = parameters && stateOf(run, { step: 0, parameters })
  requireChanged(base, start, stateOf(run, state))
}

async function trainTo(run: ArmRun, until: number): Promise<void> {
  const { base, plan, context, session, state, arm, statePath } = run
  const { examples, seed, training: config } = plan
  if (state.step >= until) return
  const what = plan.aside === undefined ? 'training' : 'training again'
  const phase = `${nameOf(plan)}: ${what}`
  context.emit({ type: 'phase-start', phase, total: until, unit: 'step' })
  const options = {
    session,
    examples,
    padId: base.open.tokenizer.padId,
    config,
    seed,
    signal: context.signal,
    lastGood: () => statePath,
  }
  const margin = await openMargin(run)
  const measureMargin = () => margin?.measure({ ...arm, step: state.step }, context)
  try {
    if (state.step === 0) await measureMargin()
    for await (const report of train(state, options, until)) {
      emitStep(report, arm, session.table.slices, context)
      await measureMargin()
      context.emit({ type: 'phase-progress', phase, done: report.step })
      if (Date.now() - run.savedAt > SAVE_EVERY_MS) await save(run)
    }
  } catch (error) {
    // Stopped between two steps: all emitted rows belong to this state.
    if (error === context.signal.reason) await save(run)
    throw error
  } finally {
    await margin?.release()
  }
  context.emit({ type: 'phase-end', phase })
  await save(run)
}

async function openMargin(run: ArmRun) {
  const { base, plan, session, state } = run
  const merged = isAskedAsTrained(plan.method)
    ? undefined
    : () => tunedOf(base, stateOf(run, state)).weights
  return plan.refusalMargin && openRefusalMargin(base, plan.refusalMargin, session, state, merged)
}

function emitStep(
  { step, loss, gradientNorm, learningRate }: StepReport,
  arm: ArmRun['arm'],
  slices: readonly ParameterSlice[],
  { emit }: JobContext,
): void {
  const metric = (name: string, value: number) =>
    emit({ type: 'metric', row: { ...arm, step, name, value } })
  metric('train/loss', loss)
  metric('train/gradient-norm', gradientNorm)
  // Of each group of trained tensors: a method may give some a rate of their own.
  const scales = new Set(slices.filter(isTrained).map((slice) => slice.learningRateScale))
  for (const scale of scales)
    metric(
      scale === 1 ? 'train/learning-rate' : `train/learning-rate/×${scale}`,
      learningRate * scale,
    )
}

async function save(run: ArmRun): Promise<void> {
  // Rows before the state: a resumed run continues after this step and does not emit them again.
  run.context.flush()
  await saveTrainingState(run.statePath, run.state, run.identity)
  run.savedAt = Date.now()
  await emitCheckpoint(run)
}

export async function emitCheckpoint({ state, statePath, context, arm }: ArmRun): Promise<void> {
  const digest = await sha256OfFile(statePath)
  context.emit({
    type: 'checkpoint',
    subject: { ...arm, step: state.step },
    path: statePath,
    digest,
  })
  context.flush()
}

/** sha256 over token ids and labels of the training rows, in order. */
export function examplesDigest(examples: readonly Example[]): string {
  const hash = createHash('sha256')
  for (const example of examples) {
    hash.update(Int32Array.from([example.ids.length, ...example.ids]))
    hash.update(labelBytes(example))
    if ('kind' in example) hash.update(Int32Array.of(example.kind!))
  }
  return hash.digest('hex')
}

function labelBytes(example: Example): Int32Array | Float64Array | Uint8Array {
  if ('label' in example) return Int32Array.of(example.label)
  if ('hidden' in example)
    return Int32Array.from(example.hidden.flatMap(({ at, label }) => [at, label]))
  return 'target' in example
    ? Float64Array.from(example.target)
    : Uint8Array.from(example.labelled, Number)
}
