/** @file An error as it crosses a process or the network. */
import { TouchstoneError } from './touchstone-error.ts'

/** An error as it travels. What is not a `TouchstoneError` is our bug and says so. */
export function toWireError(error: unknown): { code: string; message: string; remedy: string } {
  if (error instanceof TouchstoneError) {
    const { code, message, remedy } = error as TouchstoneError
    return { code, message, remedy }
  }
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'This is a bug in Touchstone; please report it with the command and this message.',
  }
}
