/** @file One arm: a method fine-tunes the base on the data from one seed, and is evaluated on the way. */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { countLabelled, type Example } from '../finetune/training/dataset.ts'
import type { AnyMethod, Prepared } from '../finetune/method.ts'
import {
  loadTrainingState,
  saveTrainingState,
  type TrainingState,
} from '../finetune/training/state.ts'
import {
  newOptimizerState,
  train,
  type StepReport,
  type TrainingConfig,
} from '../finetune/training/train.ts'
import { openTraining, type TrainingSession } from '../finetune/training/train-graph.ts'
import type { JobContext } from '../contract/job.ts'
import { exists } from '../files/read-file.ts'
import { measuringOf, stateOf, titleOf } from './arm-states.ts'
import { digestOf, digestOfFile, identityOf, type Base } from '../measure/base.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import { requireTrainable } from './graph-base.ts'
import { openLeaning, type LeaningPlan } from '../measure/live-leaning.ts'

export interface ArmPlan {
  /** What it is called: the method's name, or another where one method stands beside itself. */
  readonly arm: string
  readonly method: AnyMethod
  readonly methodConfig: unknown
  readonly seed: number
  readonly training: TrainingConfig
  readonly examples: readonly Example[]
  readonly dataDigest: string
  /** Steps at which it is evaluated, ascending; the last is the end of training. */
  readonly evaluateAt: readonly number[]
  readonly evaluation: EvaluationPlan | undefined
  /** Whether its states are put aside and asked in one pass, where the method allows it. */
  readonly evalTogether?: boolean
  /** Looked at while it trains; absent where nobody asked. */
  readonly leaning?: LeaningPlan | undefined
  /** Looks at each evaluated state before the last; what it is given changes when it is done. */
  readonly onTheWay?: ((state: FinishedArm) => Promise<void>) | undefined
  /** A folder of its own, for a state of the way that is trained again: nothing is said of the arm itself. */
  readonly aside?: string
}

/** A finished arm, for spectra and export: its trained tensors by name. */
export interface FinishedArm {
  readonly plan: ArmPlan
  readonly key: SubjectKey
  readonly parameters: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>
  /** Beginning values, from which an adapter for the original base is made. */
  readonly prepared: Pick<Prepared, 'parameters'>
  readonly statePath: string
}

const SAVE_EVERY_MS = 30_000

export const armFolder = (
  workspace: string,
  { arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>,
): string => join(workspace, 'arms', `${arm.replaceAll(/[^\w.-]+/g, '-')}-seed${seed}`)

export const statePathIn = (folder: string): string => join(folder, 'training-state.safetensors')

/** What must agree for a saved state to be gone on from. */
const identityOfPlan = (
  base: Base,
  { method, methodConfig, seed, training, dataDigest }: ArmPlan,
  { prepared }: Pick<TrainingSession, 'prepared'>,
): Record<string, string> => ({
  base: base.digest,
  method: method.name,
  configuration: JSON.stringify([methodConfig, training]),
  seed: String(seed),
  data: dataDigest,
  threads: String(base.device.threads),
  ...(method.prepare ? { start: startDigest(prepared) } : {}),
})

/** sha256 over the names and bits of where training started. */
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
  const { arm, method, methodConfig, seed, training } = plan
  const subjectKey = { arm, seed }
  const folder = plan.aside ?? armFolder(context.workspace, subjectKey)
  await mkdir(folder, { recursive: true })
  const statePath = statePathIn(folder)
  const longest = Math.max(2, ...plan.examples.map(({ ids }) => ids.length))
  const data = { examples: plan.examples, padId: base.open.tokenizer.padId }
  const { checkpointing, batchSize } = training
  const labelled = (batchSize * countLabelled(plan.examples)) / plan.examples.length
  const given = { maxPositions: longest, data, checkpointing, labelled }
  const asked = { ...base, method, methodConfig, seed, ...given }
  const session = await openTraining(asked)
  const identity = identityOfPlan(base, plan, session)
  const isResumed = await exists(statePath)
  const state = isResumed
    ? await loadTrainingState(statePath, identity, session.memorySize)
    : newOptimizerState(session.parameters, session.memorySize)
  const run: ArmRun = {
    base,
    plan,
    context,
    session,
    state,
    folder,
    statePath,
    identity,
    arm: subjectKey,
    savedAt: Date.now(),
  }
  const title = `${titleOf(plan)}, seed ${seed}`
  const subject = identityOf(base, base.open, {
    arm,
    seed,
    title,
    method: method.name,
    trainableParameters: session.table.trained,
  })
  if (plan.aside === undefined) context.emit({ type: 'subject', row: subject })
  try {
    // Killed between the file and the row that speaks of it, the row is missing.
    if (isResumed) await tellCheckpoint(run)
    await passStates(run)
  } finally {
    await session.release()
  }
  if (plan.aside === undefined) {
    const adapterDigest = digestOf(state.parameters)
    context.emit({ type: 'subject', row: { ...subject, adapterDigest } })
  }
  return reached(run)
}

/** Through every step at which it is evaluated. */
async function passStates(run: ArmRun): Promise<void> {
  const { plan, state } = run
  const measuring = plan.evaluation && measuringOf(run, plan.evaluation)
  try {
    for (const step of plan.evaluateAt) {
      if (state.step > step) continue
      await trainTo(run, step)
      await measuring?.reached()
      if (step < plan.training.steps) await plan.onTheWay?.(reached(run))
    }
  } catch (error) {
    const isDiverged = error instanceof TouchstoneError && error.code === 'training.not-finite'
    if (isDiverged) await measuring?.brokeOff()
    throw error
  }
}

/** The arm as it stands. */
const reached = (run: ArmRun): FinishedArm => stateOf(run, run.state)

export interface ArmRun {
  readonly base: Base
  readonly plan: ArmPlan
  readonly context: JobContext
  readonly session: TrainingSession
  readonly state: TrainingState
  readonly folder: string
  readonly statePath: string
  readonly identity: Readonly<Record<string, string>>
  readonly arm: Pick<SubjectKey, 'arm' | 'seed'>
  savedAt: number
}

async function trainTo(run: ArmRun, until: number): Promise<void> {
  const { base, plan, context, session, state, arm, statePath } = run
  const { method, examples, seed, training: config } = plan
  if (state.step >= until) return
  const what = plan.aside === undefined ? 'training' : 'training again, to the same loss'
  const phase = `${arm.arm}, seed ${arm.seed}: ${what}`
  context.emit({ type: 'phase-start', phase, total: until, unit: 'step' })
  const options = {
    session,
    method,
    examples,
    padId: base.open.tokenizer.padId,
    config,
    seed,
    signal: context.signal,
    lastGood: () => statePath,
  }
  const watched = { ...plan, session, parameters: state.parameters }
  const leaning = plan.leaning && (await openLeaning(base, plan.leaning, watched))
  const look = () => leaning?.look({ ...arm, step: state.step }, context)
  try {
    if (state.step === 0) await look()
    for await (const report of train(state, options, until)) {
      emitStep(report, arm, context)
      await look()
      context.emit({ type: 'phase-progress', phase, done: report.step })
      if (Date.now() - run.savedAt > SAVE_EVERY_MS) await save(run)
    }
  } catch (error) {
    // Stopped between two steps: everything that was said is of this state, so nothing is lost.
    if (error === context.signal.reason) await save(run)
    throw error
  } finally {
    await leaning?.release()
  }
  context.emit({ type: 'phase-end', phase })
  await save(run)
}

function emitStep(
  { step, loss, gradientNorm, learningRate }: StepReport,
  arm: ArmRun['arm'],
  { emit }: JobContext,
): void {
  const metric = (name: string, value: number) =>
    emit({ type: 'metric', row: { ...arm, step, name, value } })
  metric('train/loss', loss)
  metric('train/gradient-norm', gradientNorm)
  metric('train/learning-rate', learningRate)
}

async function save(run: ArmRun): Promise<void> {
  // First what was measured up to this state: a resume goes on after it and says none of it again.
  run.context.flush()
  await saveTrainingState(run.statePath, run.state, run.identity)
  run.savedAt = Date.now()
  await tellCheckpoint(run)
}

async function tellCheckpoint({ state, statePath, context, arm }: ArmRun): Promise<void> {
  const digest = await digestOfFile(statePath)
  context.emit({
    type: 'checkpoint',
    subject: { ...arm, step: state.step },
    path: statePath,
    digest,
  })
  context.flush()
}

/** sha256 over the token ids and labels that training sees, rows in order. */
export function examplesDigest(examples: readonly Example[]): string {
  const hash = createHash('sha256')
  for (const example of examples) {
    hash.update(Int32Array.from([example.ids.length, ...example.ids]))
    const labels =
      'label' in example ? Int32Array.of(example.label) : Uint8Array.from(example.labelled, Number)
    hash.update(labels)
  }
  return hash.digest('hex')
}
