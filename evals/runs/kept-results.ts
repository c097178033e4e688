/**
 * @file What a run found, kept in its own folder when it ends, so that a window opens it at once. It is computed from stored rows
 * alone, so a file that was made of other rows, or by another version, is computed again.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { Results } from '../contract/results.ts'
import { makePrivateFolder } from '../files/private-file.ts'
import { sha256 } from '../files/digest.ts'
import { readJson } from '../files/read-file.ts'
import { removeTemporaries } from '../files/write-file.ts'
import { buildResults } from '../findings/results.ts'
import { withCells } from '../sweeps/results.ts'
import { writeOutput } from './outputs.ts'
import type { Extent, Store } from './store/store.ts'
import { version } from './version.ts'

interface Place {
  readonly store: Store
  readonly folder: string
  readonly runId: string
}

/** A folder of its own, in which a kill leaves nothing but what is written over. */
const KEPT = 'found'
const FILE = 'results.json'
const MOST_BYTES = 2 ** 29
const Kept = z.object({ madeOf: z.string(), sum: z.string(), results: z.unknown() })

/** Shows what was changed by hand or by a damaged file, as the sums of the database do. */
const sumOf = (results: unknown): string => sha256(JSON.stringify(results))

const folderOf = ({ folder, runId }: Place) => join(folder, runId, KEPT)

/** Changes when the version, the run's events or its labels do. */
export const madeOf = (
  { store, runId }: Omit<Place, 'folder'>,
  { seq, labels }: Extent = {
    seq: store.lastSeq(runId),
    labels: store.evidence.labels(runId).length,
  },
): string => [version(), seq, labels].join(' ')

export async function keepResults(place: Place, results: Results): Promise<void> {
  const text = JSON.stringify({ madeOf: madeOf(place), sum: sumOf(results), results })
  try {
    makePrivateFolder(folderOf(place))
    await removeTemporaries(folderOf(place), false)
    await writeOutput(join(folderOf(place), FILE), [text])
  } catch {
    // A disk without room costs time later and no run.
  }
}

/** As kept, or computed from every row of the run and kept. */
export async function foundIn(place: Place): Promise<Results> {
  const kept = Kept.safeParse(
    await readJson(join(folderOf(place), FILE), MOST_BYTES).catch(() => null),
  ).data
  if (kept?.madeOf === madeOf(place) && kept.sum === sumOf(kept.results)) {
    const results = Results.safeParse(kept.results)
    if (results.success) return results.data
  }
  const rows = place.store.rows(place.runId)
  const results = withCells(buildResults(rows), rows)
  // A run that is not over says more soon.
  if (place.store.run(place.runId)?.outcome != null) await keepResults(place, results)
  return results
}
