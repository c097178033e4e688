/** @file Files and folders that their owner alone can read. Modes are set by name, so no umask widens or narrows them. */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { exists } from './read-file.ts'

/** Of a file: its owner reads and writes it. */
export const OWNER_ALONE = 0o600
const OWNER_FOLDER = 0o700

/**
 * Makes `folder` where it is missing, and what leads to it; one that is there stays as it is. Step by step, because Node's
 * recursive form never returns below /proc.
 */
export function makeFolder(folder: string, mode?: number): void {
  if (isFolderNow(folder)) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, mode)
  } catch (error) {
    // Another process may have been faster.
    if (!isFolderNow(folder)) throw error
  }
  if (mode !== undefined) chmodSync(folder, mode)
}

const isFolderNow = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

export const makePrivateFolder = (folder: string): void => makeFolder(folder, OWNER_FOLDER)

/** Makes an empty file where there is none; whether it made one. */
export function makePrivateFile(path: string): boolean {
  if (existsSync(path)) return false
  const file = openSync(path, 'a', OWNER_ALONE)
  closeSync(file)
  chmodSync(path, OWNER_ALONE)
  return true
}

/** Takes from group and others what they may do with a file or folder of ours; the paths where they could do anything. */
export const tighten = (paths: readonly string[]): string[] =>
  paths.filter((path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found || (found.mode & 0o077) === 0 || found.uid !== process.getuid?.()) return false
    // Folders that are also something else: a sticky one is shared on purpose.
    const isShared = found.isDirectory() && ((found.mode & 0o1000) !== 0 || isWorkplace(path))
    if (isShared) return false
    chmodSync(path, found.mode & 0o700)
    return true
  })

/** Whether commands are given here, or people live here: not Touchstone's to close. */
const isWorkplace = (folder: string) =>
  [process.cwd(), homedir(), '/'].some((place) => resolve(place) === resolve(folder))

/** Written whole or not at all; an older file of that name is not replaced. `beforeVisible` runs when the text is safely on disk under another name; where it throws, nothing is left. */
export async function writePrivately(
  path: string,
  text: string,
  beforeVisible: () => void = () => undefined,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`)
  try {
    makePrivateFolder(dirname(path))
    if (await exists(path)) throw taken(path)
    const handle = await open(temporary, 'wx', OWNER_ALONE)
    try {
      await handle.chmod(OWNER_ALONE)
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
