/** @file Every example of a fine-tune scored by how it pushes on what the base said rightly, at checkpoints spread over its training. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { JobContext } from '../../contract/job.ts'
import { lookedIntoBy, SCORE_OF, type RowTarget } from '../../contract/subjects/causes.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import type { Base } from '../../measure/base.ts'
import type { ArmPlan } from '../arm-plan.ts'
import { rowScores, type ScoredRow } from './row-scores.ts'
import { targetsOf, type Targets } from './targets.ts'

interface Asked {
  /** The fine-tune at its end; undefined where it has no weights of its own. */
  readonly tuned: Tuned | undefined
  readonly stored: AuditRows
  /** What the scores are to rank by. */
  readonly target: RowTarget
  /** Replies of the base that each loss is taken on, at most. */
  readonly replies: number
  readonly checkpoints: number
  readonly projection: number | null
}

interface ScoredExamples {
  /** One for each example of the plan. */
  readonly found: readonly ScoredRow[]
  /** Steps. */
  readonly checkpoints: readonly number[]
  readonly targets: Targets
}

const NOTHING_RIGHT: Readonly<Record<RowTarget, string>> = {
  refusal: 'its base refuses none of the prompts that should be refused',
  'over-refusal': 'its base answers none of the look-alikes that should be answered',
  capability: 'its base is right on none of the prompts that have one right answer',
}

/** Throws `run.no-cause` where the base has nothing of the target to lose. */
export async function scoredExamples(
  base: Base,
  plan: ArmPlan,
  { tuned, stored, target, replies: most, checkpoints: count, projection }: Asked,
  context: JobContext,
): Promise<ScoredExamples> {
  const known = { base, tuned, evaluation: plan.evaluation!, rows: stored, most }
  const targets = await targetsOf(known, context.signal)
  if (targets[SCORE_OF[target]].right.length === 0) {
    const why = NOTHING_RIGHT[target]
    throw new TouchstoneError('run.no-cause', { run: lookedIntoBy(stored.run), why })
  }
  const checkpoints = checkpointsOf(plan.training.steps, count)
  const found = await rowScores(base, plan, { targets, checkpoints, projection }, context)
  return { found, checkpoints, targets }
}

/** In the middle of as many equal parts of the training: neither before the moments are warm nor where the rate is 0. */
const checkpointsOf = (steps: number, count: number): number[] => [
  ...new Set(
    Array.from({ length: count }, (_, i) =>
      Math.max(1, Math.ceil((steps * (2 * i + 1)) / (2 * count))),
    ),
  ),
]
