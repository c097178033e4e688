/** @file The files of a run's kept weights. Weights that should have been deleted are handed out for a reason, which is logged. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { appendToRun } from './append-to-run.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { plainText } from '../document/plain-text.ts'
import type { NamedRun } from './named-run.ts'

const SHORTEST_REASON = 8

/** Throws `weights.gone` where none were kept, and `weights.need-reason` where a reason is needed and none is given. */
export async function keptWeights(
  { run: { id: runId }, store, folder }: NamedRun,
  reason: string | null,
): Promise<string[]> {
  const kept = store.weights(runId).filter(({ outcome }) => outcome === 'kept')
  if (kept.length === 0) throw new TouchstoneError('weights.gone', { run: runId })
  const against = kept.flatMap(({ reasonToDelete }) => reasonToDelete ?? [])
  if (against.length > 0) {
    if (reason === null || reason.trim().length < SHORTEST_REASON) {
      throw new TouchstoneError('weights.need-reason', { run: runId })
    }
    appendToRun(
      { store, folder, runId },
      {
        type: 'weights-handed-out',
        reasonToDelete: [...new Set(against)].join('; '),
        reason: plainText(reason, 500),
      },
    )
  }
  const folders = [
    ...new Set(
      kept.flatMap(({ path }) => (path === null ? [] : [keptFolder({ folder, runId }, path)])),
    ),
  ]
  const files = await Promise.all(
    folders.map(async (each) => (await readdir(each)).map((name) => join(each, name))),
  )
  return files.flat()
}

/** The folder of a kept file, which is stored as the command that ran was told its folder, from where it was told it. */
export function keptFolder(
  { folder, runId }: { readonly folder: string; readonly runId: string },
  path: string,
): string {
  const own = path.lastIndexOf(`${runId}${sep}`)
  const beside = join(folder, path.slice(Math.max(0, own)))
  return dirname(existsSync(beside) ? beside : path)
}
