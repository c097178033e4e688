/** @file The workbench's folder: its database of runs, those of the folders in it, and the workbench's own database. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { FILE_NAME, runFolders } from '../runs/databases.ts'
import type { RunRow } from '../contract/audit-rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { hostsElsewhere } from '../measure/served/address.ts'
import { openStore, type Store } from '../runs/store/store.ts'
import { openWindowStore, type WindowStore } from '../runs/store/window-store.ts'

const CLOSED = 'closed'
const Paths = z.array(z.string())

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
  /** Files and folders that other users could read when the workbench first opened them. */
  closed(): readonly string[]
  /** The database of a folder, kept open because opening checks the whole file. */
  store(folder: string): Store
  /** Throws `run.not-found`. */
  find(runId: string): FoundRun
  close(): void
}

/** Logs a permission to send prompts, for each named host that is another machine. */
export function keepSendings(
  { windowStore }: Pick<Home, 'windowStore'>,
  names: readonly string[],
  reason: string | null,
): void {
  if (reason === null) return
  for (const host of hostsElsewhere(names))
    windowStore.keepSending({ at: Date.now(), host, reason })
}

export function openHome(path: string): Home {
  const folder = resolve(path)
  const { store, ...opened } = openStores(folder)
  const places = new Map<string, string>()
  const folders = () => runFolders(null, folder)
  const foundIn = (where: string, runId: string): FoundRun | undefined => {
    if (!existsSync(join(where, FILE_NAME))) return undefined
    const run = store(where).run(runId)
    if (run) places.set(runId, where)
    return run && { run, store: store(where), folder: where }
  }
  return {
    folder,
    ...opened,
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
  }
}

/** The folder's own databases at once, others when they are asked for. */
function openStores(folder: string): Pick<Home, 'windowStore' | 'closed' | 'store' | 'close'> {
  const stores = new Map([[folder, openStore(join(folder, FILE_NAME))]])
  const windowStore = openWindowStore(folder)
  const closed = () => Paths.parse(windowStore.settings()[CLOSED] ?? [])
  // Kept, because another process of the workbench may be the one that shows it.
  const noteClosed = (paths: readonly string[]) => {
    if (paths.length > 0) windowStore.set(CLOSED, [...new Set([...closed(), ...paths])])
  }
  noteClosed(stores.get(folder)!.closed)
  return {
    windowStore,
    closed,
    store(where) {
      const known = stores.get(where)
      if (known) return known
      const opened = openStore(join(where, FILE_NAME))
      stores.set(where, opened)
      noteClosed(opened.closed)
      return opened
    },
    close() {
      for (const open of stores.values()) open.close()
      windowStore.close()
    },
  }
}
