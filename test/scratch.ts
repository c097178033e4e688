/** @file The folder that temporary files of a whole run of the tests lie in; it goes when they end. */
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const SCRATCH = join(tmpdir(), `touchstone-tests-${process.pid}`)

export default function setup(): () => void {
  mkdirSync(SCRATCH, { mode: 0o700 })
  return () => rmSync(SCRATCH, { recursive: true, force: true, maxRetries: 3 })
}
