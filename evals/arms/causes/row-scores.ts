/**
 * @file How each row of a fine-tune's data pushes on what the base said rightly, to first order (TracIn, Pruthi et al. 2020, with
 * Adam's update as in LESS, Xia et al. 2024): at each checkpoint, trained to again, the score of row z grows by −η⟨∇L, Γ(z)⟩, with Γ
 * the update that the row alone would make (`gradient-forms.ts`) and L the loss of a target (`targets.ts`).
 */
import { GRADIENT_FORMS, type GradientForm, type Scores } from '../../contract/subjects/causes.ts'
import type { JobContext } from '../../contract/job.ts'
import {
  countLabelled,
  makeBatch,
  type Conversed,
  type Example,
} from '../../finetune/training/dataset.ts'
import { scheduleFactor } from '../../finetune/training/schedule.ts'
import type { TrainingSession } from '../../finetune/training/session.ts'
import type { TrainingState } from '../../finetune/training/state.ts'
import { newOptimizerState, train } from '../../finetune/training/train.ts'
import type { Base } from '../../measure/base.ts'
import { openSessionOf } from '../arm.ts'
import { nameOf, type ArmPlan } from '../arm-plan.ts'
import { atOwnRates, formOf, inner, projectionOf, type Project } from './gradient-forms.ts'
import type { Target, Targets } from './targets.ts'

const TARGETS = [
  'refusal',
  'overRefusal',
  'capability',
] as const satisfies readonly (keyof Scores)[]

export type RowScores = Record<GradientForm, Record<keyof Scores, number>>

export interface ScoredRow {
  readonly scores: RowScores
  /** At the first checkpoint, nats a token. */
  readonly loss: number
}

interface Asked {
  readonly targets: Targets
  /** Steps after which gradients are taken, ascending, from 1. */
  readonly checkpoints: readonly number[]
  readonly projection: number | null
}

/** One entry for each example of the plan. */
export async function rowScores(
  base: Base,
  plan: ArmPlan,
  asked: Asked,
  context: Pick<JobContext, 'emit' | 'signal'>,
): Promise<ScoredRow[]> {
  const { targets, checkpoints, projection } = asked
  const texts = TARGETS.flatMap((name) => [...targets[name].right, ...targets[name].instead])
  const session = await openSessionOf(base, plan, texts)
  const { training: config, seed, examples } = plan
  const phase = `${nameOf(plan)}: gradients of rows`
  const total = examples.length * checkpoints.length
  context.emit({ type: 'phase-start', phase, total, unit: 'sample' })
  let found: ScoredRow[] = []
  try {
    const state = newOptimizerState(session.parameters, session.memorySize)
    const { signal } = context
    const { padId } = base.open.tokenizer
    const options = { session, examples, padId, config, seed, signal, lastGood: () => '' }
    const project = projectionOf(session.table.slices, projection)
    for (const [i, step] of checkpoints.entries()) {
      for await (const report of train(state, options, step)) void report
      await state.deviceResident?.syncToHost()
      const rows = scoresAt({ base, session, state, plan, project }, targets, context.signal)
      const now: ScoredRow[] = []
      for await (const row of rows) {
        now.push(added(found[now.length], row))
        context.emit({ type: 'phase-progress', phase, done: i * examples.length + now.length })
      }
      found = now
    }
  } finally {
    await session.release()
  }
  context.emit({ type: 'phase-end', phase })
  return found
}

/** Each example of the plan, in order. */
async function* scoresAt(
  at: Checkpoint,
  targets: Targets,
  signal: AbortSignal,
): AsyncGenerator<ScoredRow> {
  const slopes = await targetSlopes(at, targets)
  for (const example of at.plan.examples) {
    signal.throwIfAborted()
    yield await scoreRow(at, slopes, example)
    // A gradient blocks this thread: let signals and timers run.
    await new Promise(setImmediate)
  }
}

interface Checkpoint {
  readonly base: Base
  readonly session: TrainingSession
  readonly state: TrainingState
  readonly plan: ArmPlan
  readonly project: Project
}

/** ∇L of each target, projected; null where it has no reply. */
type Slopes = ReadonlyMap<keyof Scores, Float64Array | null>

/** Replies at once, at most: a step's rows where those are fewer, so that a slope takes no more memory than a step. */
const BATCH = 8

async function targetSlopes(at: Checkpoint, targets: Targets): Promise<Slopes> {
  const slopes = new Map<keyof Scores, Float64Array | null>()
  for (const target of TARGETS) slopes.set(target, await slopeOf(at, targets[target]))
  return slopes
}

/** Of the loss of what was right, less that of what is said in its place. */
async function slopeOf(at: Checkpoint, { right, instead }: Target): Promise<Float64Array | null> {
  if (right.length === 0) return null
  const sum = new Float64Array(at.session.table.size)
  await addSlope(at, right, 1, sum)
  if (instead.length > 0) await addSlope(at, instead, -1, sum)
  return at.project(sum)
}

async function addSlope(
  { base, session, plan }: Checkpoint,
  replies: readonly Conversed[],
  sign: 1 | -1,
  sum: Float64Array,
): Promise<void> {
  const labelled = countLabelled(replies)
  const size = Math.min(BATCH, plan.training.batchSize)
  for (let start = 0; start < replies.length; start += size) {
    const part = replies.slice(start, start + size)
    const { flat } = await session.gradients(makeBatch(part, base.open.tokenizer.padId, labelled))
    for (let j = 0; j < sum.length; j++) sum[j]! += sign * flat[j]!
  }
}

/** The row weighs as it does in a step: by its labels, over those of a mean row. */
async function scoreRow(
  { base, session, state, plan, project }: Checkpoint,
  slopes: Slopes,
  example: Example,
): Promise<ScoredRow> {
  const { training, examples } = plan
  const mean = countLabelled(examples) / examples.length
  const { loss, flat } = await session.gradients(
    makeBatch([example], base.open.tokenizer.padId, mean),
  )
  const rate =
    training.learningRate *
    scheduleFactor(training.schedule, state.step, training.warmupSteps, training.steps)
  const out = new Float64Array(flat.length)
  const scores = {} as RowScores
  for (const form of GRADIENT_FORMS) {
    const update = formOf(form, flat, state, training, out)
    const moved = project(atOwnRates(update, session.table.slices))
    const scoreOf = (target: keyof Scores) => {
      const slope = slopes.get(target)
      return slope ? -rate * inner(slope, moved) : 0
    }
    scores[form] = {
      refusal: scoreOf('refusal'),
      overRefusal: scoreOf('overRefusal'),
      capability: scoreOf('capability'),
    }
  }
  return { scores, loss: (loss * mean) / countLabelled([example]) }
}

/** Sums over checkpoints; the loss stays the first one's. */
function added(before: ScoredRow | undefined, now: ScoredRow): ScoredRow {
  if (!before) return now
  const scores = {} as RowScores
  for (const form of GRADIENT_FORMS) {
    scores[form] = { ...now.scores[form] }
    for (const target of TARGETS) scores[form][target] += before.scores[form][target]
  }
  return { scores, loss: before.loss }
}
