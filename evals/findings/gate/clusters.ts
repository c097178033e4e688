/**
 * @file Which prompts of a benchmark depend on each other. Where nothing names clusters, near-duplicates among the prompts are
 * taken as clusters: to take them as independent could make a PASS wrong, and too few clusters only leave it undecided.
 */
import { nearDuplicateGroups } from '../../statistics/minhash.ts'
import type { ComparedJudgement } from './compared-run.ts'

/** How the clusters are known: named in the rows, proposed from near-duplicates, none found, or no texts to look at. */
type ClusterSource = 'named' | 'proposed' | 'none' | 'unknown'

export interface Clusters {
  readonly source: ClusterSource
  /** By sample; samples without an entry stand by themselves. */
  readonly of: ReadonlyMap<string, string>
}

type Rows = readonly Pick<ComparedJudgement, 'sampleId' | 'cluster' | 'prompt'>[]

/** Of one benchmark, from the rows of both sides. */
export function clustersOf(rows: Rows): Clusters {
  const named = new Map(
    rows.flatMap(({ sampleId, cluster }) =>
      cluster === undefined ? [] : [[sampleId, cluster] as const],
    ),
  )
  if (named.size > 0) return { source: 'named', of: named }
  const texts = new Map(
    rows.flatMap(({ sampleId, prompt }) => (prompt === null ? [] : [[sampleId, prompt] as const])),
  )
  if (texts.size === 0) return { source: 'unknown', of: named }
  const of = proposed(texts)
  return { source: of.size > 0 ? 'proposed' : 'none', of }
}

/** The last answers, as the same prompts are asked of every state. */
const known = new Map<string, ReadonlyMap<string, string>>()
const MOST_KNOWN = 16

function proposed(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const all = [...texts]
    .map(([key, text]) => ({ key, text }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const name = all.map(({ key, text }) => `${key}\u0000${text}`).join('\u0000')
  const found = known.get(name) ?? nearDuplicateGroups(all)
  known.delete(name)
  known.set(name, found)
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
  return found
}

/** The same rows, each with its cluster. */
export const inClusters = <R extends ComparedJudgement>(
  rows: readonly R[],
  { of }: Clusters,
): R[] =>
  rows.map((row) => {
    const cluster = of.get(row.sampleId)
    return cluster === undefined ? row : { ...row, cluster }
  })
