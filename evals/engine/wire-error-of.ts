/** @file What a handler threw, as it travels. */
import { EngineError } from '../contract/rpc.ts'
import type { WireError } from '../contract/wire-error.ts'
import { toWireError } from '../errors/wire.ts'

export function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof EngineError)) return toWireError(error)
  // It was one already, in the process that said it.
  const { code, message, remedy } = error
  return { code, message, remedy }
}
