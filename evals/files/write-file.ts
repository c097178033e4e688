/** @file Writes whole files: readers see the old file or the whole new one, and a crash leaves no half of one. */
import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

type Part = string | Uint8Array | (() => Uint8Array)

/**
 * Writes beside the target, flushes to disk, then renames: readers see the old file or the whole new one. `mode` is the file's,
 * whatever the umask; without it the umask decides.
 */
export async function writeAtomically(
  path: string,
  parts: readonly Part[] | AsyncIterable<Part>,
  mode?: number,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`)
  const handle = await open(temporary, 'wx', mode)
  try {
    try {
      if (mode !== undefined) await handle.chmod(mode)
      for await (const part of parts) {
        await handle.appendFile(typeof part === 'function' ? part() : part)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const TEMPORARY = /^\.[0-9a-f]{12}\.tmp$/u

/** Removes what a killed process was writing in `folder`, and below it if asked. Only for the one who may write there. */
export async function removeTemporaries(folder: string, recursive: boolean): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive })
  for (const { name, parentPath } of entries) {
    if (TEMPORARY.test(name)) await rm(join(parentPath, name), { force: true })
  }
}
