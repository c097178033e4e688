/** @file How far a step with an approximate forward pass is from the exact one: over the same base, adapter and rows. */
import { z } from 'zod'
import type { Batch } from '../../../evals/finetune/method.ts'
import { openTraining, type TrainingOptions } from '../../../evals/finetune/training/train-graph.ts'

/** Asked of a process that does approximate work, in place of a repetition. */
export const DEVIATION = { work: 'deviation' } as const

export const DeviationSchema = z.object({
  exactLoss: z.number(),
  /** Ours less the exact one, nats. */
  loss: z.number(),
  /** ‖ours − exact‖ / ‖exact‖ over the gradients of all that is trained. */
  gradient: z.number(),
})
export type Deviation = z.infer<typeof DeviationSchema>

export async function deviationOf(
  options: TrainingOptions,
  parameters: Float32Array,
  batch: Batch,
): Promise<Deviation> {
  const ours = await once(options, parameters, batch)
  const exact = await once({ ...options, forward: 'exact' }, parameters, batch)
  const apart = ours.gradient.map((value, i) => value - exact.gradient[i]!)
  return {
    exactLoss: exact.loss,
    loss: ours.loss - exact.loss,
    gradient: lengthOf(apart) / lengthOf(exact.gradient),
  }
}

const lengthOf = (numbers: Float32Array): number =>
  Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0))

async function once(options: TrainingOptions, parameters: Float32Array, batch: Batch) {
  const session = await openTraining(options)
  try {
    session.setParameters(parameters)
    const { loss, flat } = await session.gradients(batch)
    return { loss, gradient: flat.slice() }
  } finally {
    await session.release()
  }
}

export const showDeviation = ({ exactLoss, loss, gradient }: Deviation): string =>
  `APPROXIMATE: the first loss is off by ${loss.toExponential(1)} of ${exactLoss.toPrecision(5)}, the gradient by ${gradient.toExponential(1)} of its length, against the exact forward over the same base`
