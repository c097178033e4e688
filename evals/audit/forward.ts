/** @file Checks before anything is measured whether int8 products, in training or where states are asked, are available for it. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { requireInt8Forward, type ForwardModel } from '../finetune/training/int8-forward.ts'
import type { Precision } from '../models/weights/small-weights.ts'
import type { AuditConfig } from './config.ts'

export async function requireForward(
  {
    forward,
    methods,
    basePrecision: precision,
    candidates,
    remedy,
  }: Pick<AuditConfig, 'forward' | 'methods' | 'basePrecision' | 'candidates' | 'remedy'>,
  { model, device }: ForwardModel,
): Promise<void> {
  requireSameProducts(precision, [...candidates, ...remedy])
  if (forward === 'exact') return
  if (methods.length === 0)
    throw new TouchstoneError('training.approximate-forward', {
      why: 'nothing is trained, and what is evaluated is always computed exactly',
      remedy: 'Name a method with --methods, or leave --forward int8 out.',
    })
  await requireInt8Forward({ model, device, precision })
}

/** Weights of their own are multiplied exactly, and would be compared with a base that is not. */
function requireSameProducts(precision: Precision, others: readonly string[]): void {
  const [other] = others
  if (precision !== 'blocks-int8' || other === undefined) return
  throw new TouchstoneError('blocks.approximate', { other })
}
