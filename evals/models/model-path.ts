/**
 * @file Resolves a model name in a configuration: the bundled model, a path, or a snapshot in the Hugging Face hub's download
 * cache, where `models--org--name` holds `refs/main`, a commit, and `snapshots/COMMIT`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const PEBBLE = join(import.meta.dirname, '..', 'bundled', 'pebble')

export const modelPath = (name: string): string => (name === 'pebble' ? PEBBLE : snapshotOf(name))

/** Whether a name means the bundled model. */
export const isBundled = (name: string): boolean => modelPath(name) === PEBBLE

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Resolves a cache folder to the snapshot of `main`, or to the only snapshot. Returns any other path unchanged. */
export function snapshotOf(path: string): string {
  const snapshots = join(path, 'snapshots')
  if (!isFolder(snapshots) || !isFolder(join(path, 'refs'))) return path
  const commits = readdirSync(snapshots)
  const main =
    commitOf(join(path, 'refs', 'main')) ?? (commits.length === 1 ? commits[0] : undefined)
  // Only an existing snapshot: a reference cannot lead elsewhere.
  return main !== undefined && commits.includes(main) ? join(snapshots, main) : path
}

function commitOf(reference: string): string | undefined {
  const found = statSync(reference, { throwIfNoEntry: false })
  if (!found?.isFile() || found.size > 100) return undefined
  return readFileSync(reference, 'utf8').trim()
}
