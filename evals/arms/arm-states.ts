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
import type { SubjectIdentity } from '../contract/rows.ts'
import { counted } from '../contract/words.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import { loadParameters, saveParameters, type TrainingState } from '../finetune/training/state.ts'
import { exists } from '../files/read-file.ts'
import { overlaid } from '../models/weights/small-weights.ts'
import { tunedOf } from './arm-adapter.ts'
import { nameOf, titleOf, type ArmRun, type FinishedArm } from './arm-plan.ts'
import { openStateSubject } from '../measure/open-subject.ts'
import { identityOf } from '../measure/base.ts'
import { measureRouting } from '../measure/routing.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../measure/evaluate.ts'
import { inGroups, measureTogether, notTogetherNote, type StackedState } from './side-by-side.ts'

/** The arm after `step` steps, with the given parameters. */
export function stateOf(
  { plan, session, arm, statePath }: Omit<ArmRun, 'state'>,
  { step, parameters: flat }: Pick<TrainingState, 'step' | 'parameters'>,
): FinishedArm {
  const parameters = namedViews(session.table, flat)
  // Prepared weights are a copy of the base and not needed for an export.
  const prepared = session.prepared.parameters ? { parameters: session.prepared.parameters } : {}
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
  const single = {
    reached: () => evaluateNow(run, evaluation),
    stoppedEarly: () => Promise.resolve(),
  }
  if (!plan.evalTogether || plan.evaluateAt.length < 2) return single
  const message = notTogetherNote(base, nameOf(plan), plan.method)
  if (message === undefined) return together(run, evaluation)
  emitLog(context, 'info', message)
  return single
}

const identityOfArm = ({ base, plan, arm: { arm, seed } }: ArmRun): SubjectIdentity =>
  identityOf(base, base.open, { arm, seed, title: titleOf(plan) })

async function evaluateNow(run: ArmRun, evaluation: EvaluationPlan): Promise<void> {
  const { base, plan, context, session, state, arm } = run
  const views = namedViews(session.table, state.parameters)
  // A session with frozen weights: with weights as inputs, a reply would depend on the other rows of its batch.
  const changed = new Map([...views].map(([name, { data }]) => [name, data]))
  const frozen = overlaid(session.weights, changed)
  const form = { model: base.model, frozen, method: plan.method }
  const { subject, release } = await openStateSubject(base, identityOfArm(run), form)
  const key = { ...arm, step: state.step }
  try {
    await evaluate(subject, key, evaluation, context)
  } finally {
    await release()
  }
  if (!plan.method.mergeable) await measureRouting(base, form, key, evaluation, context)
}

function together(run: ArmRun, evaluation: EvaluationPlan): StateEvaluator {
  const { base, plan, context, state, arm, folder } = run
  const pathOf = (step: number) => join(folder, `aside-${step}.safetensors`)
  const identityAt = (step: number) => ({ ...run.identity, step: String(step) })
  const isStateDue = (step: number) => isLeft(evaluation, { ...arm, step })
  const groups = inGroups(plan.evaluateAt)

  async function readState(step: number): Promise<StackedState> {
    const size = state.parameters.length
    const parameters = await loadParameters(pathOf(step), identityAt(step), size)
    const { key, weights } = tunedOf(base, stateOf(run, { step, parameters }))
    if (!weights.lowRank) throw new Error(`internal: ${plan.method.name} ends in other changes`)
    return { key, identity: identityOfArm(run), lowRank: weights.lowRank }
  }

  async function evaluateSaved(steps: readonly number[]): Promise<void> {
    const states: StackedState[] = []
    for (const step of steps) if (isStateDue(step)) states.push(await readState(step))
    if (states.length > 0) {
      const what = `${nameOf(plan)}: ${counted(states.length, 'state')} asked in one pass`
      await measureTogether(base, states, { evaluation, what }, context)
    }
    for (const step of steps) await rm(pathOf(step), { force: true })
  }

  return {
    async reached() {
      const { step, parameters } = state
      const group = groups.find((steps) => steps.includes(step))!
      if (isStateDue(step)) await saveParameters(pathOf(step), parameters, identityAt(step))
      if (step === group.at(-1)) await evaluateSaved(group)
    },
    async stoppedEarly() {
      const left: number[] = []
      for (const step of plan.evaluateAt) if (await exists(pathOf(step))) left.push(step)
      await evaluateSaved(left)
    },
  }
}
