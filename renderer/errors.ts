/** @file Errors as shown: message and remedy. */
import { EngineError } from '../evals/contract/rpc.ts'
import type { WireError } from '../evals/contract/wire-error.ts'

export function toWireError(problem: unknown): WireError {
  if (problem instanceof EngineError) {
    const { code, message, remedy } = problem
    return { code, message, remedy }
  }
  return {
    code: 'internal',
    message: problem instanceof Error ? problem.message : String(problem),
    remedy: 'This is a bug in Touchstone; please report it with this message.',
  }
}
