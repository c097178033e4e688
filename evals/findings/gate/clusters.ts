/**
 * @file Which prompts of a benchmark depend on each other. Prompts that either side puts into one cluster are in one, and the same
 * prompt under several names is. Where nothing else is known, near-duplicates among the prompts are taken as clusters: to take
 * them as independent could make a PASS wrong, and too few clusters only leave it undecided.
 */
import { keyOf } from '../../contract/keys.ts'
import { nearDuplicateGroups } from '../../statistics/minhash.ts'
import type { ComparedJudgement } from './compared-run.ts'

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
  const texts = new Map(
    others.flatMap(({ sampleId, prompt }) =>
      prompt === null ? [] : [[sampleId, prompt] as const],
    ),
  )
  const alike = texts.size > 0 ? proposed(texts) : new Map<string, string>()
  const of = joined([
    ...sides.flatMap((side, i) =>
      side.flatMap(({ sampleId, cluster }) =>
        cluster === undefined ? [] : [[sampleId, keyOf('named', i, cluster)] as const],
      ),
    ),
    ...[...alike].map(([sampleId, first]) => [sampleId, keyOf('alike', first)] as const),
    ...rows.flatMap((row) => {
      const same = identityOf(row)
      return same ? [[row.sampleId, keyOf('same', same)] as const] : []
    }),
  ])
  const shared = named.length > 0 ? of : withoutSingle(of)
  if (named.length > 0) return { source: 'named', of: shared }
  if (shared.size > 0) return { source: 'proposed', of: shared }
  return { source: texts.size === 0 ? 'unknown' : 'none', of: shared }
}

/** What makes a prompt the same as another; a text that was cut for show may go on otherwise. */
const identityOf = ({ promptDigest, prompt }: Row): string | null =>
  promptDigest || (prompt?.endsWith('…') === false ? prompt : null)

/** Samples that share a tag, directly or through others, by the first of them. */
function joined(tagged: readonly (readonly [sampleId: string, tag: string])[]) {
  const parent = new Map<string, string>()
  const rootOf = (node: string): string => {
    let root = node
    while (parent.get(root) !== undefined && parent.get(root) !== root) root = parent.get(root)!
    parent.set(node, root)
    return root
  }
  for (const [sampleId, tag] of tagged) {
    const [one, two] = [rootOf(keyOf('sample', sampleId)), rootOf(tag)]
    if (one !== two) parent.set(two, one)
  }
  return new Map(tagged.map(([sampleId]) => [sampleId, rootOf(keyOf('sample', sampleId))]))
}

function withoutSingle(of: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const sizes = Map.groupBy(of.values(), (cluster) => cluster)
  return new Map([...of].filter(([, cluster]) => sizes.get(cluster)!.length > 1))
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
