/** @file What ranking a fine-tune's rows costs in a plan: training up to the last checkpoint, and a gradient of each row at each. */
import type { AuditConfig } from '../config.ts'

/** Time of one row's gradient and its scores over that of a row in a step, measured: test/bench/findings/ranking-cost.ts. */
export const ROW_GRADIENT = 4.8

interface Ranked {
  readonly rows: number
  readonly checkpoints: number
  readonly training: AuditConfig['training']
}

/** In trainings of the fine-tune. Checkpoints are in the middle of as many equal parts. */
export function rankingTrainings({ rows, checkpoints, training }: Ranked): number {
  const { steps, batchSize, gradientAccumulationSteps } = training
  const seen = steps * batchSize * gradientAccumulationSteps
  return 1 - 1 / (2 * checkpoints) + (ROW_GRADIENT * rows * checkpoints) / seen
}
