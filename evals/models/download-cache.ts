/** @file The download cache of Hugging Face's hub: `models--org--name` holds `refs/main`, a commit, and `snapshots/COMMIT`. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** The snapshot that a cache folder means: that of `main`, or the only one. Any other path is itself. */
export function snapshotOf(path: string): string {
  const snapshots = join(path, 'snapshots')
  if (!isFolder(snapshots) || !isFolder(join(path, 'refs'))) return path
  const commits = readdirSync(snapshots)
  const main =
    commitOf(join(path, 'refs', 'main')) ?? (commits.length === 1 ? commits[0] : undefined)
  // Only a name that stands there: a reference cannot lead elsewhere.
  return main !== undefined && commits.includes(main) ? join(snapshots, main) : path
}

function commitOf(reference: string): string | undefined {
  const found = statSync(reference, { throwIfNoEntry: false })
  if (!found?.isFile() || found.size > 100) return undefined
  return readFileSync(reference, 'utf8').trim()
}
