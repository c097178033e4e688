/**
 * @file Whether scaling intruder dimensions down restores what a fine-tune lost, and more than shrinking its whole change does.
 * Each form and λ is a model state that is evaluated like the fine-tune; its weights exist in memory only.
 */
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import {
  MITIGATION_METRICS as NAMES,
  MITIGATIONS,
  mitigatedArm,
  type Mitigation,
} from '../contract/mitigation.ts'
import type { Subject } from '../inference/subject.ts'
import { emitLog, type JobContext } from '../contract/job.ts'
import { baseDirections } from '../spectra/basis.ts'
import type { Numbers } from '../spectra/decomposition/matrix.ts'
import { frobeniusNorm } from '../spectra/measures.ts'
import {
  intruderTriplets,
  mitigated,
  scaledDirections,
  type IntruderTriplets,
} from '../spectra/mitigation.ts'
import { bootstrap } from '../statistics/bootstrap.ts'
import { openStateSubject } from '../measure/open-subject.ts'
import { identityOf, stateWith, type Base } from '../measure/base.ts'
import type { SpectraConfig } from '../measure/config.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../measure/evaluate.ts'
import { spectralMatrices, storeOf, type Tuned } from '../measure/arm-spectra.ts'

type Config = Pick<SpectraConfig, 'epsilon' | 'cache' | 'cacheDir'> & {
  readonly mitigate: readonly number[]
}

interface Mitigations {
  readonly tuned: readonly Tuned[]
  readonly config: Config
  readonly evaluation: EvaluationPlan | undefined
  /** Of every arm that was emitted so far. */
  readonly subjects: () => readonly SubjectIdentity[]
}

/** Every form at every λ, for each fine-tune; nothing without a λ. */
export async function mitigateAll(
  base: Base,
  { tuned, config, evaluation, subjects }: Mitigations,
  context: JobContext,
): Promise<void> {
  if (config.mitigate.length === 0 || !evaluation) return
  const identities = subjects()
  for (const each of tuned) {
    const found = await findTriplets(base, each, config, context)
    if (![...found.values()].some(({ intruders }) => intruders.length > 0)) {
      const message = `${each.key.arm}, seed ${each.key.seed}: no leading direction is an intruder at ε = ${config.epsilon}, so there is nothing to scale down.`
      emitLog(context, 'warn', message)
      continue
    }
    const { arm, seed } = each.key
    const identity = identities.find((row) => row.arm === arm && row.seed === seed)
    if (!identity) throw new Error(`internal: ${arm}, seed ${seed} has no subject`)
    const work = { base: each.base ?? base, each, identity, evaluation, context, found }
    const own = await withSubject(
      work,
      each.key,
      (name) => each.weights.read(name),
      (subject) => neutralLosses(subject, evaluation, context),
    )
    for (const lambda of config.mitigate)
      for (const form of MITIGATIONS) await runState(work, { form, lambda }, own)
  }
}

interface TunedWork {
  readonly base: Base
  readonly each: Tuned
  readonly identity: SubjectIdentity
  readonly evaluation: EvaluationPlan
  readonly context: JobContext
  readonly found: ReadonlyMap<string, IntruderTriplets>
}

export async function findTriplets(
  base: Base,
  { key, weights }: Tuned,
  config: Omit<Config, 'mitigate'>,
  { emit, signal }: JobContext,
): Promise<ReadonlyMap<string, IntruderTriplets>> {
  const phase = `${key.arm}, seed ${key.seed}: intruders`
  const places = spectralMatrices(base)
  const store = storeOf(config, (message) => emitLog({ emit }, 'warn', message))
  emit({ type: 'phase-start', phase, total: places.length, unit: 'matrix' })
  const found = new Map<string, IntruderTriplets>()
  for (const [i, { weight, shape }] of places.entries()) {
    await new Promise(setImmediate)
    signal.throwIfAborted()
    const [rows, columns] = shape
    const W0 = { rows, columns, data: base.weights.get(weight)! }
    // Stored by the scan of spectra if the cache is on.
    const system = (await store?.find(W0)) ?? baseDirections(W0, weight)
    const W1 = { rows, columns, data: weights.read(weight) }
    found.set(weight, intruderTriplets(system, W1, { epsilon: config.epsilon, weight }))
    emit({ type: 'phase-progress', phase, done: i + 1 })
  }
  emit({ type: 'phase-end', phase })
  return found
}

interface Choice {
  readonly form: Mitigation
  readonly lambda: number
}

async function runState(work: TunedWork, choice: Choice, own: readonly Loss[]): Promise<void> {
  const { each, identity, evaluation, context } = work
  const mitigation = { of: each.key.arm, ...choice }
  const key = { ...each.key, arm: mitigatedArm(mitigation) }
  if (!isLeft(evaluation, key)) return
  context.emit({ type: 'subject', row: { ...identity, arm: key.arm, title: key.arm, mitigation } })
  const { weights, sizes } = changedWeights(work, choice)
  const read = (name: string) => weights.get(name) ?? each.weights.read(name)
  await withSubject(work, key, read, async (subject) => {
    const losses = await neutralLosses(subject, evaluation, context)
    // Before the evaluations: a resume skips a state whose evaluations are all stored.
    const values = { ...sizes, ...difference(own, losses) }
    for (const [name, value] of Object.entries(values)) {
      const row = { ...key, name: NAMES[name as keyof typeof NAMES] }
      if (value !== null) context.emit({ type: 'metric', row: { ...row, value } })
    }
    await evaluate(subject, key, evaluation, context)
  })
}

/** The matrices that a form changes, and the share of the fine-tune's change that remains. */
function changedWeights({ base, each, found }: TunedWork, { form, lambda }: Choice) {
  const weights = new Map<string, Float32Array>()
  let [directions, before, after] = [0, 0, 0]
  for (const { weight, shape } of spectralMatrices(base)) {
    const [W0, W1] = [base.weights.get(weight)!, each.weights.read(weight)]
    const [rows, columns] = shape
    const rank = each.weights.change(weight)?.rank
    const triplets = found.get(weight)!
    const W = mitigated(form, lambda, { ...triplets, W0, W1: { rows, columns, data: W1 }, rank })
    before += squareOfChange(W1, W0)
    after += squareOfChange(W, W0)
    if (W === W1) continue
    // Shrinking scales no single direction.
    directions += form === 'shrink' ? 0 : scaledDirections(form, triplets).length
    weights.set(weight, Float32Array.from(W))
  }
  const changeKept = before === 0 ? 1 : Math.sqrt(after / before)
  return {
    weights,
    sizes: { matrices: weights.size, ofMatrices: found.size, directions, changeKept },
  }
}

const squareOfChange = (W: Numbers, W0: Numbers): number =>
  W === W0 ? 0 : frobeniusNorm(Float64Array.from(W, (x, i) => x - W0[i]!)) ** 2

async function withSubject<T>(
  { base }: Pick<TunedWork, 'base'>,
  { arm, seed }: SubjectKey,
  read: (name: string) => Float32Array,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  const identity = identityOf(base, base.open, { arm, seed, title: arm })
  const { subject, release } = await openStateSubject(base, identity, stateWith(base, read))
  try {
    return await use(subject)
  } finally {
    await release()
  }
}

/** Loss of one neutral text, in nats. */
interface Loss {
  readonly sum: number
  readonly tokens: number
}

async function neutralLosses(
  subject: Subject,
  { neutral }: EvaluationPlan,
  { signal }: JobContext,
): Promise<Loss[]> {
  if (neutral.length === 0) return []
  const scores = await subject.logProbs(neutral, signal)
  return scores.map((text) => ({
    sum: -text.reduce((total, logProb) => total + logProb, 0),
    tokens: text.length,
  }))
}

/** Mean loss after − before, nats a token, with an interval over texts. */
function difference(before: readonly Loss[], after: readonly Loss[]) {
  const statistic = (drawn: Uint32Array) => {
    let [sum, tokens] = [0, 0]
    for (const i of drawn) {
      sum += after[i]!.sum - before[i]!.sum
      tokens += after[i]!.tokens
    }
    return tokens === 0 ? null : sum / tokens
  }
  // A fixed seed, so that a repeated run gives the same interval.
  const { estimate, lower, upper } = bootstrap(after.length, statistic, { seed: 0 })
  return { neutral: estimate, neutralLower: lower, neutralUpper: upper }
}
