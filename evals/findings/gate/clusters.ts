/**
 * @file Which prompts of a benchmark depend on each other. Prompts that either side puts into one cluster are in one, and the same
 * prompt under several names is. Where nothing else is known, near-duplicates among the prompts are taken as clusters: to take
 * them as independent could make a PASS wrong, and too few clusters only leave it undecided.
 */
import { nearDuplicateGroups } from '../../statistics/minhash.ts'
import type { ComparedJudgement } from './compared-run.ts'
import { ofRows } from './selection.ts'

/** How the clusters are known: named in the rows, proposed from near-duplicates, none found, or no texts to look at. */
type ClusterSource = 'named' | 'proposed' | 'none' | 'unknown'

export interface Clusters {
  readonly source: ClusterSource
  /** By sample; samples without an entry stand by themselves. */
  readonly of: ReadonlyMap<string, string>
}

type Row = Pick<ComparedJudgement, 'sampleId' | 'cluster' | 'prompt' | 'promptDigest'>

/** Of one benchmark, from the rows of each side. */
export function clustersOf(sides: readonly (readonly Row[])[]): Clusters {
  const rows = sides.flat()
  const named = rows.filter(({ cluster }) => cluster !== undefined)
  const names = new Set(named.map(({ sampleId }) => sampleId))
  const others = rows.filter(({ sampleId }) => !names.has(sampleId))
  const texts = new Map<string, string>()
  for (const { sampleId, prompt } of others) if (prompt !== null) texts.set(sampleId, prompt)
  const alike = texts.size > 0 ? proposed(texts) : new Map<string, string>()
  const of = joined([
    ...sides.map((side) => tagged(side, ({ cluster }) => cluster)),
    [...alike],
    tagged(rows, identityOf),
  ])
  const shared = named.length > 0 ? of : withoutSingle(of)
  if (named.length > 0) return { source: 'named', of: shared }
  if (shared.size > 0) return { source: 'proposed', of: shared }
  return { source: texts.size === 0 ? 'unknown' : 'none', of: shared }
}

/** Of the rows of two states. */
export const clustersBetween = ofRows((before, after) => clustersOf([before, after]))

/** What makes a prompt the same as another; a text that was cut for show may go on otherwise. */
const identityOf = ({ promptDigest, prompt }: Row): string | null =>
  promptDigest || (prompt?.endsWith('…') === false && prompt !== '' ? prompt : null)

type Tagged = readonly (readonly [sampleId: string, tag: string])[]

/** Not as lists of lists: a run has hundreds of thousands of rows. */
function tagged(rows: readonly Row[], tagOf: (row: Row) => string | null | undefined): Tagged {
  const found: [string, string][] = []
  for (const row of rows) {
    const tag = tagOf(row)
    if (tag != null) found.push([row.sampleId, tag])
  }
  return found
}

/** Samples that share a tag of one kind, directly or through others, by the name of one of them. */
function joined(kinds: readonly Tagged[]): Map<string, string> {
  const places = new Map<string, number>()
  const parent: number[] = []
  const placeOf = (sampleId: string): number => {
    const known = places.get(sampleId)
    if (known !== undefined) return known
    places.set(sampleId, parent.length)
    return parent.push(parent.length) - 1
  }
  const rootOf = (node: number): number => {
    let root = node
    while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!
    return root
  }
  for (const kind of kinds) {
    const first = new Map<string, number>()
    for (const [sampleId, tag] of kind) {
      const place = placeOf(sampleId)
      const other = first.get(tag)
      if (other === undefined) first.set(tag, place)
      else parent[rootOf(other)] = rootOf(place)
    }
  }
  const samples = [...places.keys()]
  return new Map(samples.map((sampleId, i) => [sampleId, samples[rootOf(i)]!]))
}

function withoutSingle(of: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const sizes = new Map<string, number>()
  for (const cluster of of.values()) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1)
  return new Map([...of].filter(([, cluster]) => sizes.get(cluster)! > 1))
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
