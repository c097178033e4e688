/**
 * @file What a served model has answered, on disk before it is used: a job that was killed asks nothing again whose answer came in.
 * It holds replies to prompts that should be refused, so its owner alone can read it, and it is removed when the job is done.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makePrivateFile, makePrivateFolder } from '../../files/private-file.ts'
import { exists } from '../../files/read-file.ts'

export interface Journal {
  /** What was kept under this key, or what `make` gives, which is kept. `T` must survive JSON. */
  through<T>(key: string, make: () => Promise<T>): Promise<T>
  /** Whether anything is kept under this key. */
  has(key: string): boolean
  remove(): Promise<void>
}

/** Opens the file, or begins it. A last line that a kill cut is not read. */
export async function openJournal(path: string): Promise<Journal> {
  const kept = new Map<string, unknown>()
  // A kill may have cut a character too, which becomes a mark in a line that is not read.
  const text = (await exists(path)) ? readFileSync(path, 'utf8') : ''
  const lines = text.split('\n')
  for (const line of lines.slice(0, -1)) {
    const entry = entryOf(line)
    if (entry) kept.set(entry.key, entry.value)
  }
  makePrivateFolder(dirname(path))
  makePrivateFile(path)
  // What follows a cut line must not be taken for its rest.
  if (lines.at(-1) !== '') appendFileSync(path, '\n')
  return {
    has: (key) => kept.has(key),
    async through(key, make) {
      if (kept.has(key)) return kept.get(key) as Awaited<ReturnType<typeof make>>
      const value = await make()
      appendFileSync(path, `${JSON.stringify({ key, value })}\n`)
      kept.set(key, value)
      return value
    },
    remove: () => rm(path, { force: true }),
  }
}

function entryOf(line: string): { key: string; value: unknown } | undefined {
  try {
    const entry = JSON.parse(line) as { key?: unknown; value?: unknown }
    return typeof entry.key === 'string' ? { key: entry.key, value: entry.value } : undefined
  } catch {
    return undefined
  }
}

/** For a model state that is asked without a run. */
export const NO_JOURNAL: Journal = {
  has: () => false,
  through: (_, make) => make(),
  remove: async () => undefined,
}
