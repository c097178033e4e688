/** @file Calls that annotate, delete, restore and purge runs, and the metrics of a run. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writtenRun } from '../../runs/databases.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { StoredNote } from '../../runs/store/window-store.ts'
import { bytesUnder } from '../../files/bytes-under.ts'
import type { Home } from '../home.ts'
import type { Jobs } from '../jobs.ts'

type Handlers = EngineHandlers['run']

/** `changed` is told after every change of what lists of runs show. */
export function runHandlers(
  home: Home,
  jobs: Jobs,
  changed: () => void,
): Pick<Handlers, 'metrics' | 'annotate' | 'delete' | 'restore' | 'purge'> {
  const change = (runId: string, fields: Partial<StoredNote>) => {
    home.find(runId)
    home.windowStore.keepNote(runId, { ...home.windowStore.note(runId), ...fields })
    changed()
    return null
  }
  return {
    metrics: ({ runId, names }) => home.find(runId).store.pages.metrics(runId, names),
    annotate: ({ runId, ...fields }) => change(runId, given(fields)),
    delete({ runId }) {
      refuseInUse(home, jobs, runId)
      return change(runId, { deletedAt: Date.now() })
    },
    restore: ({ runId }) => change(runId, { deletedAt: null }),
    async purge({ runId }) {
      refuseInUse(home, jobs, runId)
      const { store, folder } = home.find(runId)
      if (home.windowStore.note(runId).deletedAt === null) {
        throw new TouchstoneError('run.not-deleted', { run: runId })
      }
      const own = [join(folder, runId), exportsOf(home, runId)]
      const sizes = await Promise.all(own.map(bytesUnder))
      // Rows first: after a crash, files without a run are easier to recognise than a run without files.
      store.removeRun(runId)
      home.windowStore.forget(runId)
      for (const path of own) await rm(path, { recursive: true, force: true })
      changed()
      return { bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) }
    },
  }
}

/** The folder of a run's exported files. */
export const exportsOf = ({ folder }: Pick<Home, 'folder'>, runId: string): string =>
  join(folder, 'exports', runId)

function given<T extends object>(fields: T): Partial<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

function refuseInUse(home: Home, jobs: Jobs, runId: string): void {
  const { store, folder } = home.find(runId)
  const isForeign = !jobs.isBusy(folder) && writtenRun(folder, store) === runId
  if (jobs.isActive(runId) || isForeign) throw new TouchstoneError('run.in-use', { run: runId })
}
