/** @file One writer a folder: two processes that resumed the same run would lose each other's events. */
import Database from 'better-sqlite3'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isError, TouchstoneError } from '../../errors/touchstone-error.ts'
import { translated } from './translated.ts'

const FILE_NAME = 'touchstone.lock'
/** Longer than `isLocked` holds it. */
const PATIENCE_MS = 300

/**
 * Held until it is released or the process ends, however it ends: the lock is SQLite's, which is the operating
 * system's, so no stale one can stay behind. The empty file does.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, FILE_NAME)
  const database = translated(path, () => new Database(path, { timeout: PATIENCE_MS }))
  try {
    // Nothing is written, so nothing needs a journal, which a killed process would leave behind.
    database.pragma('journal_mode = MEMORY')
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

/** Whether a process that lives is writing to `folder`. */
export function isLocked(folder: string): boolean {
  if (!existsSync(join(folder, FILE_NAME))) return false
  try {
    lockFolder(folder)()
    return false
  } catch (error) {
    if (isError(error, 'store.busy')) return true
    throw error
  }
}
