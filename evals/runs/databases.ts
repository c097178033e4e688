/** @file Where runs are kept: one database a folder, by convention under `out/`. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { isLocked, lockFolder } from './store/lock.ts'
import { openStore, type Store } from './store/store.ts'

export const FILE_NAME = 'touchstone.db'
const HOME = 'out'

/** The folder that was named, or `home` and every folder in it that holds a database. Reading creates nothing. */
export function runFolders(outDir: string | null, home = HOME): string[] {
  if (outDir !== null) {
    const path = join(outDir, FILE_NAME)
    if (!existsSync(path)) throw new TouchstoneError('store.missing', { path })
    return [outDir]
  }
  if (!existsSync(home)) return []
  const inner = readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(home, name))
  return [home, ...inner.sort()].filter((folder) => existsSync(join(folder, FILE_NAME)))
}

/** The run that a living process is writing into this folder. There is one writer a folder. */
export function writtenRun(folder: string, store: Store): string | undefined {
  const open = store.latestOpen()
  return open !== undefined && isLocked(folder) ? open : undefined
}

export async function withStore<T>(
  folder: string,
  action: (store: Store) => T | Promise<T>,
): Promise<T> {
  const store = openStore(join(folder, FILE_NAME))
  try {
    return await action(store)
  } finally {
    store.close()
  }
}

/** The same for a folder that no other process writes to meanwhile; made where it is missing. */
export const withLockedStore = <T>(
  folder: string,
  action: (store: Store) => Promise<T>,
): Promise<T> =>
  withStore(folder, async (store) => {
    const unlock = lockFolder(folder)
    try {
      return await action(store)
    } finally {
      unlock()
    }
  })
