/** @file Whether a path is a file of rows that can be read, and in which format. */
import { stat } from 'node:fs/promises'
import { unreadable } from './text.ts'

/** Larger than any benchmark; text in memory takes several times its size on disk. */
const LARGEST = 512 * 2 ** 20

/** Throws benchmark.unreadable for what the file system refused. */
export const refuseAccess =
  (path: string) =>
  (error: NodeJS.ErrnoException): never => {
    const code = error.code ?? error.message
    throw unreadable(path, code === 'ENOENT' ? 'nothing at that place' : code, error)
  }

/** Bytes of a file; throws for a folder, a missing file, an empty one. */
export async function bytesOfFile(path: string): Promise<number> {
  const found = await stat(path).catch(refuseAccess(path))
  if (!found.isFile()) throw unreadable(path, found.isDirectory() ? 'a folder' : 'no file')
  if (found.size === 0) throw unreadable(path, 'an empty file')
  return found.size
}

/** Throws, also for a file that is too large to be read whole. */
export async function bytesFit(path: string): Promise<void> {
  const bytes = await bytesOfFile(path)
  if (bytes > LARGEST) throw unreadable(path, `${bytes} bytes, above ${LARGEST}`)
}

const PARQUET_MAGIC = 'PAR1'
/** Bytes that tell the format. */
export const BEGINNING = 2 ** 16

type Format = 'parquet' | 'jsonl' | 'json' | 'csv' | 'txt'

/** By the name, and by the first bytes for Parquet and for JSON Lines under another name; undefined for other files. */
export function formatOf(path: string, bytes: Buffer): Format | undefined {
  const text = bytes.toString('latin1', 0, BEGINNING)
  if (text.startsWith(PARQUET_MAGIC)) return 'parquet'
  const ending = /\.(parquet|jsonl|ndjson|json|csv|txt)$/iu.exec(path)?.[1]?.toLowerCase()
  if (ending === 'ndjson') return 'jsonl'
  // Some publish JSON Lines as .json: several objects, one a line.
  if (ending === 'json' && /^\s*\{.*\}\s*\n\s*\{/u.test(text)) return 'jsonl'
  return ending as Format | undefined
}
