/** @file Reads a bundled benchmark's JSONL file as the file of a user is read: each row checked, identifiers unique. */
import { fileURLToPath } from 'node:url'
import type { Sample } from '../../contract/rows.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import { readTable } from '../../tables/read-table.ts'
import type { Benchmark } from '../benchmark.ts'
import { samplesOf } from '../import/load-file.ts'

/** The samples of a bundled benchmark, from its file in `evals/bundled/data`. */
export async function loadBundled(benchmark: Benchmark): Promise<Sample[]> {
  if (benchmark.bundled === undefined) {
    throw new Error(`internal: ${benchmark.name} has no bundled file`)
  }
  const url = new URL(`../../bundled/data/${benchmark.bundled}`, import.meta.url)
  const { rows, path } = await readTable(fileURLToPath(url))
  return samplesOf(benchmark, rows, path).samples
}

/** sha256 in hexadecimal over the samples' canonical JSON, in their order. Clusters are no part of what is asked. */
export const benchmarkDigest = (samples: readonly Sample[]): string =>
  sha256(canonicalJson(samples.map(({ cluster: _, ...asked }) => asked)))
