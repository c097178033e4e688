/** @file Which Touchstone this is. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Beside the built sources, which the desktop keeps apart from the rest of its package, else at the top of the clone. */
const PACKAGE = ['..', join('..', '..')]
  .map((above) => join(import.meta.dirname, above, 'package.json'))
  .find(existsSync)!

let read: string | undefined

export const version = (): string =>
  (read ??= (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version)
