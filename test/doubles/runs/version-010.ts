/**
 * @file A database that version 0.1.0 wrote, and the results.json of its two runs. Audits of Pebble: the first with mitigations,
 * kept weights, two unblindings, an override and an export; the second with deleted weights and an override.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Results } from '../../../evals/contract/results.ts'
import { freshFolder } from './command-line.ts'

const fixture = (name: string) =>
  gunzipSync(readFileSync(new URL(`../../unit/runs/store/fixtures/${name}.gz`, import.meta.url)))

/** A folder of its own with a copy of the database. */
export function folderOf010(): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'touchstone.db'), fixture('touchstone-0.1.0.db'))
  return folder
}

export const resultsOf010 = (which: 'kept' | 'deleted') =>
  JSON.parse(fixture(`${which}-0.1.0.results.json`).toString()) as Results
