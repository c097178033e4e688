/**
 * @file Evaluates the states of an arm: each when it is reached, or several in one pass (`--eval-together`).
 *
 * For one pass, the parameters of each state are saved in a file in the arm's folder. When the last state of a group of at
 * most 16 is reached, the group is evaluated with shared products of the base (`side-by-side.ts`) and the files are deleted.
 * The training state stays at that step meanwhile, so a run killed there continues with the states that are left.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { emitLog } from '../contract/job.ts'
import { PRUNED_SHARE } from '../contract/metrics/pruning.ts'
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { lastGood } from '../contract/gate/steps.ts'
import { counted } from '../contract/words.ts'
import { cutArm, cutWeight, goneShare, spread } from '../finetune/cut.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import { loadParameters, saveParameters, type TrainingState } from '../finetune/training/state.ts'
import { exists } from '../files/read-file.ts'
import { ROOM_BYTES } from '../inference/room.ts'
import { overlaid, smallOf } from '../models/weights/small-weights.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import { isAskedAsTrained, isAskedMerged, keptOf, tunedOf } from './arm-adapter.ts'
import { nameOf, titleOf, type ArmRun, type FinishedArm } from './arm-plan.ts'
import { openStateSubject, openTunedSubject } from '../measure/open-subject.ts'
import type { BaseRows } from '../measure/known/start.ts'
import { identityOf } from '../measure/base.ts'
import { measureRouting } from '../measure/routing.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../measure/evaluate.ts'
import { inGroups, measureTogether, notTogetherNote, type StackedState } from './side-by-side.ts'

/** The arm after `step` steps, with the given parameters. */
export function stateOf(
  { plan, session, arm, statePath }: Pick<ArmRun, 'plan' | 'session' | 'arm' | 'statePath'>,
  { step, parameters: flat }: Pick<TrainingState, 'step' | 'parameters'>,
): FinishedArm {
  const parameters = namedViews(session.table, flat)
  // Prepared weights are a copy of the base, which few exports need.
  const prepared = plan.method.toWeights
    ? session.prepared
    : { ...session.prepared, weights: undefined }
  return { plan, key: { ...arm, step }, parameters, prepared, statePath }
}

interface StateEvaluator {
  /** Call at each step at which the arm is evaluated. */
  reached(): Promise<void>
  /** Call if training ends before the last of these steps. */
  stoppedEarly(): Promise<void>
}

export function stateEvaluator(run: ArmRun, evaluation: EvaluationPlan): StateEvaluator {
  const { base, plan, context } = run
  const { isSafe } = evaluation
  if (isSafe && plan.evaluateAt.length > 1 && !plan.method.cut)
    return bisected(run, evaluation, isSafe)
  const single = {
    reached: () => evaluateNow(run, evaluation),
    stoppedEarly: () => Promise.resolve(),
  }
  if (!plan.evalTogether || plan.evaluateAt.length < 2 || plan.method.cut) return single
  const message = evaluation.looking
    ? `${nameOf(plan)}: checkpoints are measured one by one all the same, for each may stop at a look of its own.`
    : notTogetherNote(base, nameOf(plan), plan.method)
  if (message === undefined) return together(run, evaluation)
  emitLog(context, 'info', message)
  return single
}

const identityOfArm = ({ base, plan, arm: { arm, seed } }: ArmRun): SubjectIdentity =>
  identityOf(base, base.open, { arm, seed, title: titleOf(plan) })

async function evaluateNow(run: ArmRun, evaluation: EvaluationPlan): Promise<void> {
  await evaluateState(run, evaluation)
  tellPruned(run)
}

/** Of a cut model, which is an arm of its own, or of the arm that prunes. */
function tellPruned(run: ArmRun): void {
  const { base, session, state, context } = run
  const cut = session.prepared.kept
  const kept = cut ?? keptOf(base, stateOf(run, state))
  if (!kept) return
  const arm = cut ? cutArm(run.arm.arm) : run.arm.arm
  const value = goneShare(base.model, kept)
  const row = { ...run.arm, arm, step: state.step, name: PRUNED_SHARE, value }
  context.emit({ type: 'metric', row })
}

async function evaluateState(run: ArmRun, evaluation: EvaluationPlan): Promise<void> {
  const { base, plan, context, session, state, arm } = run
  const key = { ...arm, step: state.step }
  await makeRoom(run, evaluation, key)
  if (!isAskedAsTrained(plan.method) || isMerged(run)) {
    const tuned = tunedOf(base, stateOf(run, state)).weights
    const start = startOf(run, evaluation)
    await evaluateWeights(run, evaluation, tuned, { key, identity: identityOfArm(run), start })
    return evaluateCut(run, evaluation, tuned)
  }
  const views = namedViews(session.table, state.parameters)
  // A session with frozen weights: with weights as inputs, a reply would depend on the other rows of its batch.
  const changed = new Map([...views].map(([name, { data }]) => [name, data]))
  const frozen = overlaid(session.weights, changed)
  const form = { model: base.model, frozen, method: plan.method }
  const { subject, release } = await openStateSubject(base, identityOfArm(run), form)
  try {
    await evaluate(subject, key, evaluation, context, startOf(run, evaluation))
  } finally {
    await release()
  }
  if (!plan.method.mergeable) await measureRouting(base, form, key, evaluation, context)
}

/** Of a large base, training frees its graph while a state is asked. */
async function makeRoom({ base, session }: ArmRun, evaluation: EvaluationPlan, key: SubjectKey) {
  if (4 * base.parameters >= ROOM_BYTES && isLeft(evaluation, key)) await session.rest?.()
}

/** Weights in the base's shapes, in its graph. */
async function evaluateWeights(
  { base, context, folder }: ArmRun,
  evaluation: EvaluationPlan,
  tuned: TunedWeights,
  {
    key,
    identity,
    start,
  }: { key: SubjectKey; identity: SubjectIdentity; start?: BaseRows | undefined },
): Promise<void> {
  if (!isLeft(evaluation, key)) return
  const path = join(folder, 'asked-weights.f32')
  const { subject, release } = await openTunedSubject(base, identity, tuned, path)
  try {
    await evaluate(subject, key, evaluation, context, start)
  } finally {
    await release()
  }
}

/** The cut model with its adapter, as a state of an arm of its own: zeros where channels were cut answer as the smaller shapes do. */
async function evaluateCut(run: ArmRun, evaluation: EvaluationPlan, tuned: TunedWeights) {
  const { plan, session, state, context } = run
  const { kept } = session.prepared
  if (!kept) return
  const { seed } = run.arm
  const arm = cutArm(run.arm.arm)
  const identity = { ...identityOfArm(run), arm, title: `${titleOf(plan)} before it is recovered` }
  if (plan.aside === undefined) context.emit({ type: 'subject', row: identity })
  const small = smallOf(session.weights)
  const read = (name: string) => {
    const part = kept.get(name.replace(/\.weight$/u, ''))
    const cut = cutWeight(tuned.read(name), part)
    if (!part || !small?.has(name)) return cut
    // A cut matrix was quantised again: the change is on top of that one.
    const [base, trained] = [run.base.weights.get(name)!, spread(session.weights.get(name)!, part)]
    const before = cutWeight(base, part)
    return cut.map((value, i) => value - before[i]! + trained[i]!)
  }
  const weights = { change: () => undefined, read }
  const key = { arm, seed, step: state.step }
  await evaluateWeights(run, evaluation, weights, { key, identity })
}

/** Beside a base that is kept small an adapter stays apart: merged, the weights would need float32. */
const isMerged = ({ base, plan }: Pick<ArmRun, 'base' | 'plan'>): boolean =>
  isAskedMerged(base.model, plan.method) && smallOf(base.weights) === undefined

/** What is stored of the base, where the state is the base still. */
const startOf = (
  { plan, state }: Pick<ArmRun, 'plan' | 'state'>,
  evaluation: EvaluationPlan,
): BaseRows | undefined =>
  state.step === 0 && plan.method.identityAtStart ? evaluation.base : undefined

/**
 * Asks the last state, and then half of those that are left each time, for the last that is safe. All are saved on the way; the
 * training state stays at the last step meanwhile, so a run killed there goes on with the same questions.
 */
function bisected(
  run: ArmRun,
  evaluation: EvaluationPlan,
  isSafe: (key: SubjectKey) => boolean,
): StateEvaluator {
  const { plan, context, state, arm, folder } = run
  const pathOf = (step: number) => join(folder, `aside-${step}.safetensors`)
  const saved = async (step: number): Promise<ArmRun> => {
    const parameters = await loadParameters(
      pathOf(step),
      identityAt(run, step),
      state.parameters.length,
    )
    return { ...run, state: { ...state, step, parameters } }
  }
  async function search(steps: readonly number[]): Promise<void> {
    await lastGood(steps.length, async (at) => {
      const key = { ...arm, step: steps[at]! }
      if (isLeft(evaluation, key)) await evaluateNow(await saved(key.step), evaluation)
      context.flush()
      return isSafe(key)
    })
    for (const step of steps) await rm(pathOf(step), { force: true })
  }
  return {
    async reached() {
      const { step, parameters } = state
      await saveParameters(pathOf(step), parameters, identityAt(run, step))
      if (step === plan.evaluateAt.at(-1)) await search(plan.evaluateAt)
    },
    async stoppedEarly() {
      const left: number[] = []
      for (const step of plan.evaluateAt) if (await exists(pathOf(step))) left.push(step)
      await search(left)
    },
  }
}

const identityAt = ({ identity }: Pick<ArmRun, 'identity'>, step: number) => ({
  ...identity,
  step: String(step),
})

async function savedState(run: ArmRun, path: string, step: number): Promise<StackedState> {
  const { base, plan, state } = run
  const size = state.parameters.length
  const parameters = await loadParameters(path, identityAt(run, step), size)
  const { key, weights } = tunedOf(base, stateOf(run, { step, parameters }))
  if (!weights.lowRank) throw new Error(`internal: ${plan.method.name} ends in other changes`)
  return { key, identity: identityOfArm(run), lowRank: weights.lowRank }
}

function together(run: ArmRun, evaluation: EvaluationPlan): StateEvaluator {
  const { base, plan, context, state, arm, folder } = run
  const pathOf = (step: number) => join(folder, `aside-${step}.safetensors`)
  // Of this attempt: what earlier ones measured is in the plan.
  let isStartMeasured = false
  const isStateDue = (step: number) =>
    !(step === 0 && isStartMeasured) && isLeft(evaluation, { ...arm, step })
  const groups = inGroups(plan.evaluateAt)

  async function evaluateSaved(steps: readonly number[]): Promise<void> {
    const states: StackedState[] = []
    for (const step of steps)
      if (isStateDue(step)) states.push(await savedState(run, pathOf(step), step))
    if (states.length > 0) {
      await makeRoom(run, evaluation, states[0]!.key)
      const what = `${nameOf(plan)}: ${counted(states.length, 'state')} asked in one pass`
      await measureTogether(base, states, { evaluation, what }, context)
    }
    for (const step of steps) await rm(pathOf(step), { force: true })
  }

  return {
    async reached() {
      const { step, parameters } = state
      if (startOf(run, evaluation) && isStateDue(step)) {
        await evaluateNow(run, evaluation)
        isStartMeasured = true
      }
      const group = groups.find((steps) => steps.includes(step))!
      if (isStateDue(step)) await saveParameters(pathOf(step), parameters, identityAt(run, step))
      if (step === group.at(-1)) await evaluateSaved(group)
    },
    async stoppedEarly() {
      const left: number[] = []
      for (const step of plan.evaluateAt) if (await exists(pathOf(step))) left.push(step)
      await evaluateSaved(left)
    },
  }
}
