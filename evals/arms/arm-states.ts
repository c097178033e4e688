/**
 * @file How the states of an arm are measured: each when it is reached, or put aside and asked in one pass (`--eval-together`).
 *
 * What is put aside are the trained numbers alone, a file a state in the arm's folder. Sixteen at most are asked at once, the
 * base's products shared (`side-by-side.ts`), when the last of them is reached; then the files are deleted. The training
 * state stays at that step meanwhile, so a run that is killed there asks what is left.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SubjectIdentity } from '../contract/rows.ts'
import { counted } from '../contract/words.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import { loadParameters, saveParameters, type TrainingState } from '../finetune/training/state.ts'
import { exists } from '../files/read-file.ts'
import { overlaid } from '../models/weights/small-weights.ts'
import { tunedOf } from './arm-adapter.ts'
import type { ArmPlan, ArmRun, FinishedArm } from './arm.ts'
import { askState } from '../measure/asked.ts'
import { identityOf } from '../measure/base.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../measure/evaluate.ts'
import { inGroups, measureTogether, saidAlone, type StackedState } from './side-by-side.ts'

export const titleOf = ({ arm, method }: ArmPlan): string =>
  arm === method.name ? method.title : `${arm} (${method.title})`

/** As it stood after `step` steps, with these trained numbers. */
export function stateOf(
  { plan, session, arm, statePath }: Omit<ArmRun, 'state'>,
  { step, parameters: flat }: Pick<TrainingState, 'step' | 'parameters'>,
): FinishedArm {
  const parameters = namedViews(session.table, flat)
  // The moved weights are a copy of the base; only what an export needs stays.
  const prepared = session.prepared.parameters ? { parameters: session.prepared.parameters } : {}
  return { plan, key: { ...arm, step }, parameters, prepared, statePath }
}

interface Measuring {
  /** The arm stands at a step at which it is evaluated. */
  reached(): Promise<void>
  /** Its training ended before the last of them. */
  brokeOff(): Promise<void>
}

export function measuringOf(run: ArmRun, evaluation: EvaluationPlan): Measuring {
  const { base, plan, context } = run
  const alone = { reached: () => evaluateNow(run, evaluation), brokeOff: () => Promise.resolve() }
  // One state has no other to share with.
  if (!plan.evalTogether || plan.evaluateAt.length < 2) return alone
  const message = saidAlone(base, nameOf(run), plan)
  if (message === undefined) return together(run, evaluation)
  context.emit({ type: 'log', level: 'info', message })
  return alone
}

const nameOf = ({ arm: { arm, seed } }: ArmRun): string => `${arm}, seed ${seed}`

const asked = ({ base, plan, arm: { arm, seed } }: ArmRun): SubjectIdentity =>
  identityOf(base, base.open, { arm, seed, title: titleOf(plan) })

async function evaluateNow(run: ArmRun, evaluation: EvaluationPlan): Promise<void> {
  const { base, plan, context, session, state, arm } = run
  const { method, methodConfig } = plan
  const views = namedViews(session.table, state.parameters)
  // A session of its own: weights that are fed would make an answer depend on its neighbours.
  const changed = new Map([...views].map(([name, { data }]) => [name, data]))
  const frozen = overlaid(session.weights, changed)
  const form = { model: base.model, frozen, method, methodConfig }
  const { subject, release } = await askState(base, asked(run), form)
  try {
    await evaluate(subject, { ...arm, step: state.step }, evaluation, context)
  } finally {
    await release()
  }
}

function together(run: ArmRun, evaluation: EvaluationPlan): Measuring {
  const { base, plan, context, state, arm, folder } = run
  const pathOf = (step: number) => join(folder, `aside-${step}.safetensors`)
  const identityAt = (step: number) => ({ ...run.identity, step: String(step) })
  const isToAsk = (step: number) => isLeft(evaluation, { ...arm, step })
  const groups = inGroups(plan.evaluateAt)

  async function readState(step: number): Promise<StackedState> {
    const size = state.parameters.length
    const parameters = await loadParameters(pathOf(step), identityAt(step), size)
    const { key, weights } = tunedOf(base, stateOf(run, { step, parameters }))
    if (!weights.lowRank) throw new Error(`internal: ${plan.method.name} ends in other changes`)
    return { key, identity: asked(run), lowRank: weights.lowRank }
  }

  async function ask(steps: readonly number[]): Promise<void> {
    const states: StackedState[] = []
    for (const step of steps) if (isToAsk(step)) states.push(await readState(step))
    if (states.length > 0) {
      const what = `${nameOf(run)}: ${counted(states.length, 'state')} asked in one pass`
      await measureTogether(base, states, { evaluation, what }, context)
    }
    for (const step of steps) await rm(pathOf(step), { force: true })
  }

  return {
    async reached() {
      const { step, parameters } = state
      const group = groups.find((steps) => steps.includes(step))!
      if (isToAsk(step)) await saveParameters(pathOf(step), parameters, identityAt(step))
      if (step === group.at(-1)) await ask(group)
    },
    async brokeOff() {
      const left: number[] = []
      for (const step of plan.evaluateAt) if (await exists(pathOf(step))) left.push(step)
      await ask(left)
    },
  }
}
