/** @file An error of a handler as it crosses to the window. */
import { EngineError } from '../contract/rpc.ts'
import type { WireError } from '../contract/wire-error.ts'
import { toWireError } from '../errors/wire.ts'

export function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof EngineError)) return toWireError(error)
  // The helper has converted it already.
  const { code, message, remedy } = error
  return { code, message, remedy }
}
