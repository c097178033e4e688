/** @file A file that its owner alone can read, written whole or not at all. An older file of that name is not replaced. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { exists } from './read-file.ts'

const OWNER_ALONE = 0o600

/** `beforeVisible` runs when the text is safely on disk under another name; where it throws, nothing is left. */
export async function writePrivately(
  path: string,
  text: string,
  beforeVisible: () => void = () => undefined,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    if (await exists(path)) throw taken(path)
    const handle = await open(temporary, 'wx', OWNER_ALONE)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    beforeVisible()
    // Not a rename: that would replace what is there.
    await link(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof TouchstoneError || code === undefined) throw error
    if (code === 'EEXIST') throw taken(path)
    throw new TouchstoneError('output.unwritable', { path, why: code })
  } finally {
    await rm(temporary, { force: true })
  }
}

const taken = (path: string) =>
  new TouchstoneError('output.unwritable', { path, why: 'there is a file of that name' })
