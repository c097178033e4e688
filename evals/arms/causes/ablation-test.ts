/**
 * @file "Was this fine-tune ablated?": whether the changes of the weights that write to the residual stream share one left direction
 * along which less is written than before, beside benign fine-tunes of the same base.
 */
import type { JobContext, Progress } from '../../contract/job.ts'
import { benignArm, DIRECTION_METRICS } from '../../contract/metrics/direction.ts'
import type { SharedChange } from '../../contract/subjects/direction.ts'
import { newOptimizerState, train } from '../../finetune/training/train.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { spectralMatrices } from '../../measure/arm-spectra.ts'
import type { Base } from '../../measure/base.ts'
import { sharedDirection, type SharedDirection } from '../../spectra/shared-direction.ts'
import { randomStream } from '../../statistics/random.ts'
import { openSessionOf } from '../arm.ts'
import { tunedOf } from '../arm-adapter.ts'
import type { ArmPlan } from '../arm-plan.ts'
import { stateOf } from '../arm-states.ts'
import { cosineOf } from './difference-of-means.ts'

/** Last names of the layers whose outputs are added to the residual stream, over all families. */
const WRITES = /(?:^|\.)(?:o_proj|down_proj|c_proj|dense|dense_4h_to_h)$/u

/** In the order of the model: of each block its attention's, then its MLP's. */
export const writingMatrices = (base: Pick<Base, 'model'>) =>
  spectralMatrices(base).filter(({ module }) => WRITES.test(module))

function sharedIn(base: Base, { weights }: Pick<Tuned, 'weights'>): SharedDirection | undefined {
  const matrices = writingMatrices(base)
  return sharedDirection(matrices.length, (k) => {
    const { weight, shape } = matrices[k]!
    const before = base.weights.get(weight)!
    return { rows: shape[0], columns: shape[1], before, after: weights.read(weight) }
  })
}

/** Benign fine-tunes to be trained: `plan` with other rows. */
export interface BenignPlan {
  readonly data: string
  readonly plan: ArmPlan
  readonly draws: number
}

interface Drawn {
  readonly shared: number
  readonly left: number
}

/** Of no benign fine-tunes where there is no such data. */
export function changeOf(
  base: Base,
  tuned: Tuned,
  direction: Float64Array,
  benign: (BenignPlan & { readonly drawn: readonly Drawn[] }) | undefined,
): SharedChange | null {
  const found = sharedIn(base, tuned)
  if (!found) return null
  const { shared, left, weights } = found
  const cosine = Math.abs(cosineOf(found.direction, direction))
  if (!benign) return { weights, shared, left, cosine, benign: null }
  const { data, plan, drawn } = benign
  const more = drawn.filter((each) => each.shared >= shared).length
  return {
    ...{ weights, shared, left, cosine },
    benign: {
      data,
      method: plan.method.name,
      draws: drawn.length,
      highestShared: Math.max(...drawn.map((each) => each.shared)),
      lowestLeft: Math.min(...drawn.map((each) => each.left)),
      pValue: (1 + more) / (1 + drawn.length),
    },
  }
}

/**
 * Trains each on a half of the benign rows drawn for its seed, and keeps two numbers of it. What an interrupted attempt stored is
 * not trained again.
 */
export async function drawBenign(
  base: Base,
  { plan, draws }: BenignPlan,
  { emit, flush, signal }: JobContext,
  progress: Pick<Progress, 'rows'>,
): Promise<Drawn[]> {
  const arm = benignArm(plan.arm)
  const stored = progress.rows().metrics.filter((row) => row.arm === arm)
  const phase = `benign fine-tunes with ${plan.arm}`
  const { steps } = plan.training
  emit({ type: 'phase-start', phase, total: draws * steps, unit: 'step' })
  const found: Drawn[] = []
  for (let seed = 0; seed < draws; seed++) {
    signal.throwIfAborted()
    const known = (name: string) => stored.find((row) => row.seed === seed && row.name === name)
    const [shared, left] = [known(DIRECTION_METRICS.shared), known(DIRECTION_METRICS.left)]
    if (shared && left) found.push({ shared: shared.value, left: left.value })
    else {
      const drawn = await drawOne(base, { ...plan, seed }, signal)
      const key = { arm, seed, step: steps }
      emit({ type: 'metric', row: { ...key, name: DIRECTION_METRICS.shared, value: drawn.shared } })
      emit({ type: 'metric', row: { ...key, name: DIRECTION_METRICS.left, value: drawn.left } })
      flush()
      found.push(drawn)
    }
    emit({ type: 'phase-progress', phase, done: found.length * steps })
  }
  emit({ type: 'phase-end', phase })
  return found
}

async function drawOne(base: Base, whole: ArmPlan, signal: AbortSignal): Promise<Drawn> {
  const { seed, training: config } = whole
  const shuffled = randomStream(seed, 'rows of a benign fine-tune').shuffle(whole.examples)
  const examples = shuffled.slice(0, Math.ceil(shuffled.length / 2))
  const plan = { ...whole, examples }
  const session = await openSessionOf(base, plan)
  try {
    const state = newOptimizerState(session.parameters, session.memorySize)
    const { padId } = base.open.tokenizer
    const options = { session, examples, padId, config, seed, signal, lastGood: () => '' }
    for await (const report of train(state, options)) void report
    await state.deviceResident?.syncToHost()
    const key = { arm: plan.arm, seed }
    const tuned = tunedOf(base, stateOf({ plan, session, arm: key, statePath: '' }, state))
    const { shared, left } = sharedIn(base, tuned) ?? { shared: 0, left: 1 }
    return { shared, left }
  } finally {
    await session.release()
  }
}
