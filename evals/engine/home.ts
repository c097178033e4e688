/** @file The workbench's folder: its database of runs, those of the folders in it, and the workbench's own database. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FILE_NAME, runFolders } from '../runs/databases.ts'
import type { RunRow } from '../contract/audit-rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { openStore, type Store } from '../runs/store/store.ts'
import { openWindowStore, type WindowStore } from '../runs/store/window-store.ts'

export interface FoundRun {
  readonly run: RunRow
  readonly store: Store
  readonly folder: string
}

export interface Home {
  /** Absolute. */
  readonly folder: string
  readonly windowStore: WindowStore
  /** Every folder with runs, the workbench's own first. */
  folders(): string[]
  /** The database of a folder, kept open because opening checks the whole file. */
  store(folder: string): Store
  /** Throws `run.not-found`. */
  find(runId: string): FoundRun
  close(): void
}

export function openHome(path: string): Home {
  const folder = resolve(path)
  const stores = new Map<string, Store>()
  const places = new Map<string, string>()
  const store = (where: string): Store => {
    const open = stores.get(where) ?? openStore(join(where, FILE_NAME))
    stores.set(where, open)
    return open
  }
  store(folder)
  const windowStore = openWindowStore(folder)
  const folders = () => runFolders(null, folder)
  const foundIn = (where: string, runId: string): FoundRun | undefined => {
    if (!existsSync(join(where, FILE_NAME))) return undefined
    const run = store(where).run(runId)
    if (run) places.set(runId, where)
    return run && { run, store: store(where), folder: where }
  }
  return {
    folder,
    windowStore,
    folders,
    store,
    find(runId) {
      const likely = places.get(runId) ?? folder
      const others = () => folders().filter((where) => where !== likely)
      for (const where of [likely, ...others()]) {
        const found = foundIn(where, runId)
        if (found) return found
      }
      throw new TouchstoneError('run.not-found', { run: runId, where: folder })
    },
    close() {
      for (const open of stores.values()) open.close()
      windowStore.close()
    },
  }
}
