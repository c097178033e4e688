/**
 * @file Every error that a user can meet: a stable code, a message with its values, a remedy. The table is in `table/`.
 *
 * `throw new TouchstoneError('checkpoint.truncated', { path, … })`. Any other error is a bug of ours and begins
 * with `internal:`.
 */
import type { Details } from './table/entry.ts'
import { DATA_ERRORS } from './table/data.ts'
import { EXPORTS_ERRORS } from './table/exports.ts'
import { MODELS_ERRORS } from './table/models.ts'
import { RUNS_ERRORS } from './table/runs.ts'
import { SERVED_ERRORS } from './table/served.ts'
import { TRAINING_ERRORS } from './table/training.ts'
import { USAGE_ERRORS } from './table/usage.ts'
import { WORKBENCH_ERRORS } from './table/workbench.ts'

export const ERRORS = {
  ...USAGE_ERRORS,
  ...MODELS_ERRORS,
  ...DATA_ERRORS,
  ...TRAINING_ERRORS,
  ...EXPORTS_ERRORS,
  ...RUNS_ERRORS,
  ...SERVED_ERRORS,
  ...WORKBENCH_ERRORS,
} as const

export type ErrorCode = keyof typeof ERRORS
type Values<K extends ErrorCode> = Parameters<(typeof ERRORS)[K]>[0]

/** Shown as `message`, then `remedy`, never with a stack. `values` are what the message was made of. */
export class TouchstoneError<K extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'TouchstoneError'
  readonly code: K
  readonly values: Values<K>
  readonly remedy: string

  constructor(code: K, values: Values<K>, options?: ErrorOptions) {
    const { message, remedy } = (ERRORS[code] as (values: Values<K>) => Details)(values)
    super(message, options)
    this.code = code
    this.values = values
    this.remedy = remedy
  }
}

/** Whether `error` is the error of this code, so that its values are known. */
export const isError = <K extends ErrorCode>(
  error: unknown,
  code: K,
): error is TouchstoneError<K> => error instanceof TouchstoneError && error.code === code

/** An error of what was asked for: what is wrong with it, and what to write in its place. */
export const usageError = (problem: string, remedy: string): TouchstoneError<'usage.invalid'> =>
  new TouchstoneError('usage.invalid', { problem, remedy })
