/** @file An error as it crosses a process or the network. */
import { TouchstoneError } from './touchstone-error.ts'

/** An error as it travels. What neither Touchstone nor the operating system says is our bug, and is called so. */
export function toWireError(error: unknown): { code: string; message: string; remedy: string } {
  const said = isSystemError(error) ? systemError(error) : error
  if (said instanceof TouchstoneError) {
    const { code, message, remedy } = said as TouchstoneError
    return { code, message, remedy }
  }
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'This is a bug in Touchstone; please report it with the command and this message.',
  }
}

/** A full disk, a folder that cannot be written, a circle of links, a name that is too long, no more descriptors, … */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  'syscall' in error &&
  /^E[A-Z0-9]+$/u.test((error as NodeJS.ErrnoException).code ?? '')

function systemError({ code = '', path = 'A file', message }: NodeJS.ErrnoException) {
  // Node writes `CODE: words, call 'path'`.
  const why = /^\w+: (?<words>[^,]+)/u.exec(message)?.groups!['words'] ?? code
  return new TouchstoneError('system.refused', { path, code, why })
}
