/** @file The run that a command names, by its id or by its folder's newest, with the store it is in. */
import type { RunRow } from '../contract/audit-rows.ts'
import { TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import type { Store } from './store/store.ts'
import { FILE_NAME, runFolders, withStore } from './databases.ts'

export interface NamedRun {
  readonly store: Store
  readonly run: RunRow
  readonly folder: string
}

export async function withNamedRun<T>(
  runId: string | undefined,
  outDir: string | null,
  action: (named: NamedRun) => T | Promise<T>,
): Promise<T> {
  if (runId === undefined && outDir === null) {
    throw usageError(
      'No run was named.',
      'Name one that touchstone ls lists, or a folder with --out-dir.',
    )
  }
  for (const folder of runFolders(outDir)) {
    const found = await withStore(folder, async (store) => {
      const run = runId === undefined ? store.runs().at(-1) : store.run(runId)
      return run && { value: await action({ store, run, folder }) }
    })
    if (found) return found.value
  }
  const where = outDir === null ? 'any database under out/' : `${outDir}/${FILE_NAME}`
  throw new TouchstoneError('run.not-found', { run: runId ?? 'at all', where })
}

/** The folder of a stored run, of those that `ls` lists. */
export const folderOfRun = (runId: string): Promise<string> =>
  withNamedRun(runId, null, ({ folder }) => folder)
