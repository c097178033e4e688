/** @file A judge's version: the first 12 hexadecimal digits of the SHA-256 of everything its verdicts depend on. */
import { sha256 } from '../files/digest.ts'

export interface VersionParts {
  readonly name: string
  readonly revision: number
  readonly [part: string]: unknown
}

/** `parts` holds the rule's name, its revision and its lists, as plain data; the order of keys counts. */
export function judgeVersion(parts: VersionParts): string {
  return sha256(JSON.stringify(parts)).slice(0, 12)
}
