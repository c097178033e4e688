/** @file How a command that went wrong says so: message and remedy, or one line of JSON. */
import type { WireError } from '../contract/events.ts'
import { plainText } from '../document/plain-text.ts'
import type { Io } from './command.ts'

export function reportFailure({ code, message, remedy }: WireError, isJson: boolean, io: Io): void {
  if (isJson) {
    io.stdout.write(`${JSON.stringify({ type: 'error', code, message, remedy })}\n`)
    return
  }
  const text =
    code === 'internal' ? `A bug in Touchstone: ${message.replace(/^internal: /, '')}` : message
  io.stderr.write(`${plainText(text, 2000)}\n${plainText(remedy, 2000)}\n`)
}
