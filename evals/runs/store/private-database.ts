/** @file Databases that their owner alone can read: withheld replies are in them. */
import Database from 'better-sqlite3'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { closedText } from '../../contract/words.ts'
import { makePrivateFile, makePrivateFolder, tighten } from '../../files/private-file.ts'

interface Opened {
  readonly database: Database.Database
  /**
   * To be called once the file is known to be Touchstone's: takes it, its copies and its folder from others, and says so; the
   * paths that were open.
   */
  keepPrivate(): readonly string[]
}

/** Opens a database, or makes one; `:memory:` is one of nobody's. SQLite gives its WAL the mode of the file. */
export function openPrivately(path: string): Opened {
  const isFile = path !== ':memory:'
  if (isFile) makePrivateFolder(dirname(path))
  const isNew = !isFile || makePrivateFile(path)
  const database = new Database(path, { timeout: 5000 })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
  } catch (error) {
    database.close()
    throw error
  }
  return { database, keepPrivate: () => (isNew ? [] : tightenAround(path)) }
}

function tightenAround(path: string): readonly string[] {
  const folder = dirname(path)
  // The database, `-wal`, `-shm` and the copies before migrations.
  const own = readdirSync(folder).filter((name) => name.startsWith(basename(path)))
  const tightened = tighten([folder, ...own.map((name) => join(folder, name))]).filter(
    (name) => !/-(?:wal|shm)$/u.test(name),
  )
  if (tightened.length > 0) process.stderr.write(`${closedText(tightened)}\n`)
  return tightened
}

/** Writes a whole and consistent copy to `path`, which must not exist. */
export function copyPrivately(database: Database.Database, path: string): void {
  if (!makePrivateFile(path)) throw new Error(`internal: ${path} would be written over`)
  database.prepare('VACUUM INTO ?').run(path)
}
