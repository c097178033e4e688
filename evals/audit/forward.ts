/** @file Checks before training whether an int8 forward pass is available. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { requireInt8Forward, type ForwardModel } from '../finetune/training/int8-forward.ts'
import type { AuditConfig } from './config.ts'

export async function requireForward(
  {
    forward,
    methods,
    basePrecision: precision,
  }: Pick<AuditConfig, 'forward' | 'methods' | 'basePrecision'>,
  { model, device }: ForwardModel,
): Promise<void> {
  if (forward === 'exact') return
  if (methods.length === 0)
    throw new TouchstoneError('training.approximate-forward', {
      why: 'nothing is trained, and what is evaluated is always computed exactly',
      remedy: 'Name a method with --methods, or leave --forward int8 out.',
    })
  await requireInt8Forward({ model, device, precision })
}
