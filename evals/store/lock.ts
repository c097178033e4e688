/** @file One writer a folder: two processes that resumed the same run would lose each other's events. */
import Database from 'better-sqlite3'
import { join } from 'node:path'
import { TouchstoneError } from '../errors.ts'

/**
 * Held until it is released or the process ends, however it ends: the lock is SQLite's, which is the operating
 * system's, so no stale one can stay behind. The empty file does.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'touchstone.lock')
  const database = new Database(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) {
      throw new TouchstoneError('store.busy', { path: folder }, { cause: error })
    }
    throw error
  }
  return () => {
    database.close()
  }
}
