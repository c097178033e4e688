/** @file The files of a run's kept weights. Weights that were kept against the rule are handed out for a reason, which the run's log keeps. */
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { logWarning } from './kept-exception.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { plainText } from '../document/plain-text.ts'
import type { NamedRun } from './named-run.ts'

/** How `settleWeights` begins the role of such a file, and what it logs of an exception. */
const ROLE = 'weights of '
const EXCEPTION = / were kept although /u

export async function keptWeights(found: NamedRun, reason: string | null): Promise<string[]> {
  const { run, store } = found
  const kept = store.rows(run.id).artifacts.filter(({ role }) => role.startsWith(ROLE))
  if (kept.length === 0) throw new TouchstoneError('weights.gone', { run: run.id })
  const log = store.pages.events(run.id, { afterSeq: 0, types: ['log'], limit: 10_000 })
  const isException = log.some((event) => event.type === 'log' && EXCEPTION.test(event.message))
  if (isException) {
    if (reason === null || reason.trim().length < 8) {
      throw new TouchstoneError('weights.need-reason', { run: run.id })
    }
    const message = `Weights that should have been deleted were handed out. Reason given: ${plainText(reason, 500)}`
    logWarning(store, { id: run.id, folder: found.folder }, message)
  }
  const folders = [...new Set(kept.map(({ path }) => dirname(path)))]
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  )
  return files.flat()
}
