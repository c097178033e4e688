/** @file Every fine-tuning method, in display order. */
import { nearNames, TouchstoneError } from '../errors.ts'
import { full } from './full.ts'
import { lora } from './lora.ts'
import type { FineTuneMethod } from './method.ts'

export const METHODS: readonly FineTuneMethod<never>[] = [
  lora,
  full,
] as unknown as readonly FineTuneMethod<never>[]

export function findMethod(name: string): FineTuneMethod<unknown> {
  const found = METHODS.find((method) => method.name === name)
  if (found) return found as unknown as FineTuneMethod<unknown>
  const known = METHODS.map((method) => method.name)
  throw new TouchstoneError('usage.unknown-name', {
    kind: 'method',
    name,
    near: nearNames(name, known),
    known,
  })
}
