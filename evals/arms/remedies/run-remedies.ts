/**
 * @file Remedies of each fine-tune: every value is measured on one half of the prompts, the one that is chosen there and its control
 * on the other, in every context of the run. States exist in memory only, as long as they are asked.
 */
import { emitLog, type JobContext, type Progress } from '../../contract/job.ts'
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { SubjectIdentity } from '../../contract/rows.ts'
import { MOVED, remedyArm, type RemedyRole } from '../../contract/subjects/remedy-state.ts'
import { refusalOn } from '../../findings/causes/interventions.ts'
import { halvesOf, type Half } from '../../findings/causes/halves.ts'
import { chosenValue } from '../../findings/remedies/choice.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { stateWith, type Base } from '../../measure/base.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../../measure/evaluate.ts'
import { openStateSubject } from '../../measure/open-subject.ts'
import { freeGarbage } from '../../native/garbage.ts'
import { nameOf, type ArmPlan } from '../arm-plan.ts'
import type { Retention } from '../retention.ts'
import { keepMended } from './mended.ts'
import type { AskedRemedy, FineTune, MadeWeights } from './remedy.ts'
import { squaredDistance } from './weights.ts'

interface Remedies {
  readonly tuned: readonly Tuned[]
  /** Of those that were trained here. */
  readonly plans: readonly ArmPlan[]
  readonly remedies: readonly AskedRemedy[]
  /** The most that a value may cost, as a share of prompts. */
  readonly price: number
  readonly evaluation: EvaluationPlan | undefined
  /** By arm, for what is kept of chosen values; null keeps none. */
  readonly retention: (() => Promise<(arm: string) => Retention>) | null
}

export async function remedyAll(
  base: Base,
  { tuned, plans, remedies, price, evaluation, retention }: Remedies,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  if (!evaluation || remedies.length === 0) return
  for (const each of tuned) {
    context.flush()
    const { arm, seed } = each.key
    const plan = plans.find((own) => own.arm === arm && own.seed === seed)
    const of = { base: each.base ?? base, tuned: each, plan, evaluation, context, progress }
    const rows = progress.rows()
    if (!refusalOn(rows, 'chosen-on', { arm: 'base', seed: 0 })) {
      const message = `${nameOf(each.key)}: its base refuses no prompt that should be refused, so there is nothing to mend.`
      emitLog(context, 'warn', message)
      continue
    }
    const identity = rows.subjects.find((row) => row.arm === arm && row.seed === seed)
    if (!identity) throw new Error(`internal: ${arm}, seed ${seed} has no subject`)
    const halves = { on: planOn(of, rows, 'chosen-on'), judged: planOn(of, rows, 'judged-on') }
    for (const remedy of remedies) await mend({ remedy, of, price, identity, halves, retention })
  }
}

interface Work extends Pick<Remedies, 'price' | 'retention'> {
  readonly remedy: AskedRemedy
  readonly of: FineTune
  readonly identity: SubjectIdentity
  readonly halves: Readonly<Record<'on' | 'judged', EvaluationPlan>>
}

async function mend(work: Work): Promise<void> {
  const { remedy, of, price } = work
  const { context, progress, tuned } = of
  const what = `${nameOf(tuned.key)}: ${remedy.name}`
  if (remedy.trains !== 'never' && !of.plan) {
    const message = `${what} trains again, which a fine-tune made elsewhere cannot be.`
    return emitLog(context, 'warn', message)
  }
  const opened = await remedy.open(of)
  const { at, control, values, close } = opened
  for (const value of values) await measured(work, { role: 'tried', value }, () => at(value))
  context.flush()
  const value = chosenValue(progress.rows(), { ...tuned.key, remedy: remedy.name, price })
  if (value === null) {
    const message =
      values.length === 0
        ? `${what}: there is nothing that it could change.`
        : `${what}: no value keeps the task, capability and answers to look-alikes within its price.`
    emitLog(context, 'warn', message)
  } else {
    await measured(work, { role: 'chosen', value }, () => at(value))
    await measured(work, { role: 'control', value }, () => control(value))
    await kept(work, value, () => at(value))
  }
  await close?.()
}

async function kept(
  { remedy: { name: remedy }, of: { base, tuned, context, progress }, price, retention }: Work,
  value: number,
  make: () => Promise<MadeWeights> | MadeWeights,
): Promise<void> {
  if (!retention) return
  context.flush()
  const { arm: of } = tuned.key
  const key = { ...tuned.key, arm: remedyArm({ of, remedy, role: 'chosen', value }) }
  const rule = (await retention())(key.arm)
  const mended = { base, key, remedy, of, margin: price, retention: rule, make }
  await keepMended(mended, progress.rows(), context)
}

/** The prompts of one half; where a value is chosen, as they are. */
function planOn(
  { evaluation }: Pick<FineTune, 'evaluation'>,
  rows: AuditRows,
  half: Half,
): EvaluationPlan {
  const halfOf = halvesOf(rows)
  const benchmarks = evaluation.benchmarks.flatMap((prepared) => {
    if (half === 'chosen-on' && prepared.context) return []
    const { name: benchmark } = prepared.benchmark
    const samples = prepared.samples.filter(({ id: sampleId }) => {
      return halfOf({ benchmark, sampleId }) === half
    })
    return samples.length === 0 ? [] : [{ ...prepared, samples }]
  })
  return { ...evaluation, benchmarks, neutral: [], texts: [], measures: [] }
}

interface Asked {
  readonly role: RemedyRole
  readonly value: number
}

async function measured(
  { remedy, of, price, identity, halves }: Work,
  { role, value }: Asked,
  make: () => Promise<MadeWeights> | MadeWeights,
): Promise<void> {
  const { base, tuned, context } = of
  const { name, title, parameter, control } = remedy
  const state = { of: tuned.key.arm, remedy: name, title, parameter, value, role, control, price }
  const derivation = { kind: 'remedy', ...state } as const
  const key = { ...tuned.key, arm: remedyArm(derivation) }
  const own = { ...identity, arm: key.arm, title: key.arm, derivation }
  context.emit({ type: 'subject', row: own })
  const plan = role === 'tried' ? halves.on : halves.judged
  if (!isLeft(plan, key)) return
  context.signal.throwIfAborted()
  const made = await make()
  const form = stateWith(base, (weight) => made.read(weight))
  // Before the evaluations: a resume skips a state whose evaluations are all stored.
  context.emit({ type: 'metric', row: { ...key, name: MOVED, value: moved(of, form.frozen) } })
  // Weights of the states before, and of trainings; there would be several models of them beside this one.
  freeGarbage()
  const { subject, release } = await openStateSubject(base, own, form)
  try {
    await evaluate(subject, key, plan, context)
  } finally {
    await release()
  }
}

function moved({ base, tuned }: FineTune, now: { get(name: string): unknown }): number {
  let [distance, change] = [0, 0]
  for (const name of base.model.weights.keys()) {
    const W1 = tuned.weights.read(name)
    distance += squaredDistance(now.get(name) as Float32Array, W1)
    change += squaredDistance(base.weights.get(name)!, W1)
  }
  return change === 0 ? 0 : Math.sqrt(distance / change)
}
