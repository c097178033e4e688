/** @file The rows that `mix` puts into a training, and the training with them. */
import type { Example } from '../../finetune/training/dataset.ts'
import { trainingData } from '../../measure/sources.ts'
import { randomStream } from '../../statistics/random.ts'
import { examplesDigest } from '../arm.ts'
import type { ArmPlan } from '../arm-plan.ts'
import { targetsOf } from '../causes/targets.ts'
import { fittedExamples } from '../examples.ts'
import type { FineTune } from './remedy.ts'

/** In place of a set: what the base refuses on the half that a value is chosen on, in its own words. */
export const ASKED = 'asked'
/** Replies of the base, at most. */
const MOST = 256

/** @param name `asked`, a bundled set, or a file */
export async function rowsToMix(of: FineTune, name: string): Promise<readonly Example[]> {
  const { base, context, plan, progress } = of
  if (name === ASKED) {
    // What the fine-tune says in their place is not asked.
    const known = { ...of, tuned: undefined, rows: progress.rows(), most: MOST }
    return (await targetsOf(known, context.signal)).refusal.right
  }
  const data = await trainingData(name)
  return (await fittedExamples(base.open, data, plan!.training, context.signal)).examples
}

/**
 * So many of the others that they are this share of all; again from the first where there are too few. Steps grow as the data do, so
 * that the fine-tune's own rows are seen as often as before.
 */
export function mixedPlan(plan: ArmPlan, others: readonly Example[], share: number): ArmPlan {
  const count = others.length === 0 ? 0 : Math.round((plan.examples.length * share) / (1 - share))
  const order = randomStream(plan.seed, 'rows mixed in').shuffle(others)
  const drawn = Array.from({ length: count }, (_, i) => order[i % order.length]!)
  const examples = [...plan.examples, ...drawn]
  const steps = Math.round((plan.training.steps * examples.length) / plan.examples.length)
  const training = { ...plan.training, steps }
  return { ...plan, examples, training, dataDigest: examplesDigest(examples) }
}
