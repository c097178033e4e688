/** @file Whether a path is a file that can be read, said in the words of benchmarks. */
import { stat } from 'node:fs/promises'
import { unreadable } from './text.ts'

/** No benchmark is larger; text in memory takes several times its size on disk. */
const LARGEST = 512 * 2 ** 20

/** Throws benchmark.unreadable for a folder, a missing file, or one that is too large. */
export async function bytesFit(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const code = error.code ?? error.message
    throw unreadable(path, code === 'ENOENT' ? 'nothing at that place' : code, error)
  })
  if (!found.isFile()) throw unreadable(path, found.isDirectory() ? 'a folder' : 'no file')
  if (found.size > LARGEST) throw unreadable(path, `${found.size} bytes, above ${LARGEST}`)
}
