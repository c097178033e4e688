/** @file SQLite's errors in words: the only place that knows its codes. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'

/** What `action` gives, or its error with a remedy. `path` is the database's. */
export function translated<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (error instanceof TouchstoneError || typeof code !== 'string') throw error
    if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
      throw new TouchstoneError('store.busy', { path }, { cause: error })
    }
    if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
      throw new TouchstoneError('store.full', { path }, { cause: error })
    }
    if (UNREADABLE.test(code)) {
      const why = (error as Error).message
      throw new TouchstoneError('store.unreadable', { path, why }, { cause: error })
    }
    throw error
  }
}

const UNREADABLE =
  /^(SQLITE_(NOTADB|CORRUPT|CANTOPEN|READONLY|IOERR|PERM|AUTH|PROTOCOL)|EACCES|EEXIST|ENOTDIR|EPERM|EROFS)/
