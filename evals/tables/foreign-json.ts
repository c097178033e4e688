/** @file JSON that another tool wrote: strict UTF-8, and Python's NaN and Infinity, which are no JSON, read as null. */
import { TouchstoneError } from '../errors/touchstone-error.ts'

export function malformedLog(path: string, found: string, expected: string): TouchstoneError {
  return new TouchstoneError('interchange.malformed', { path, found, expected })
}

export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformedLog(path, 'bytes that are not UTF-8', 'UTF-8 text')
  }
}

/** A string, or a number that JSON does not know. */
const CONSTANTS = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g

export function parseForeignJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Only then: the replacement costs more than the parse.
  }
  const mended = text.replace(CONSTANTS, (part) => (part.startsWith('"') ? part : 'null'))
  try {
    return JSON.parse(mended)
  } catch {
    throw malformedLog(path, 'text that is not JSON', 'JSON')
  }
}
