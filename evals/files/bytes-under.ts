/** @file How much of a disk is used below a path. Links are not followed. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** 0 where there is nothing. */
export async function bytesUnder(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return 0
  if (!found.isDirectory()) return found.isFile() ? found.size : 0
  const names = await readdir(path).catch(() => [])
  let bytes = 0
  for (const name of names) bytes += await bytesUnder(join(path, name))
  return bytes
}
