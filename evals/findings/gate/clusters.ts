/**
 * @file Which prompts of a benchmark depend on each other. Prompts that either side puts into one cluster are in one, and the same
 * prompt under several names is. Where nothing else is known, prompts of one template and near-duplicates are taken as clusters:
 * to take them as independent could make a PASS wrong, and too few clusters only leave it undecided. Where the texts cannot tell,
 * or there are none, that is a doubt, which no PASS overrules.
 */
import { counted, percent } from '../../contract/words.ts'
import { likenessOf, type Likeness } from '../../statistics/alike/templates.ts'
import type { ComparedJudgement } from './compared-run.ts'
import { ofRows } from './selection.ts'

/** How the clusters are known: named in the rows, proposed from the texts, none found, or no texts to look at. */
type ClusterSource = 'named' | 'proposed' | 'none' | 'unknown'

export interface Clusters {
  readonly source: ClusterSource
  /** By sample; samples without an entry stand by themselves. */
  readonly of: ReadonlyMap<string, string>
  /** Why nothing shows that prompts, or these clusters, are independent of one another; absent where something does. */
  readonly doubt?: string
}

type Row = Pick<
  ComparedJudgement,
  'sampleId' | 'cluster' | 'isClusterImplied' | 'prompt' | 'promptDigest'
>

/** Of one benchmark, from the rows of each side. */
export function clustersOf(sides: readonly (readonly Row[])[]): Clusters {
  const rows = sides.flat()
  const named = rows.filter(({ cluster }) => cluster !== undefined)
  // Documents of their own may still be of one template.
  const meant = named.filter(({ isClusterImplied }) => isClusterImplied !== true)
  const names = new Set(meant.map(({ sampleId }) => sampleId))
  const others = rows.filter(({ sampleId }) => !names.has(sampleId))
  const texts = new Map<string, string>()
  for (const { sampleId, prompt } of others) if (prompt !== null) texts.set(sampleId, prompt)
  const alike = texts.size > 0 ? proposed(texts) : NOTHING
  const of = joined([
    ...sides.map((side) => tagged(side, ({ cluster }) => cluster)),
    [...alike.of],
    tagged(rows, identityOf),
  ])
  const shared = meant.length > 0 ? of : withoutSingle(of)
  const prompts = new Set(rows.map(({ sampleId }) => sampleId)).size
  const why = doubtText(alike.doubt, { prompts, untold: prompts - names.size - texts.size })
  const doubt = why === undefined ? {} : { doubt: why }
  if (meant.length > 0) return { source: 'named', of: shared, ...doubt }
  if (shared.size > 0) return { source: 'proposed', of: shared, ...doubt }
  return { source: texts.size === 0 ? 'unknown' : 'none', of: shared, ...doubt }
}

const NOTHING: Likeness = { of: new Map(), doubt: undefined }
/** Share of the prompts without a cluster and a text, or with a doubtful one, that changes nothing. */
const FEW = 0.1

function doubtText(
  doubt: Likeness['doubt'],
  { prompts, untold }: { readonly prompts: number; readonly untold: number },
): string | undefined {
  if (untold > FEW * prompts) {
    return `${untold === prompts ? 'its' : `${untold} of its ${prompts}`} prompts have neither a cluster nor a text`
  }
  if (!doubt || doubt.texts <= FEW * prompts) return undefined
  const { texts, shortOf, phrases = [], question, languages } = doubt
  if (shortOf !== undefined) {
    return `${counted(texts, 'prompt')} of ${prompts} have fewer than ${shortOf} words, too few to tell`
  }
  if (question !== undefined) {
    return `${percent(texts / prompts)} of its prompts ask the same, “${question}”, beside a text that asks nothing`
  }
  if (languages !== undefined) {
    return `its prompts are in ${languages} languages, and may be the same in each`
  }
  return `${percent(texts / prompts)} of its prompts share one of ${counted(phrases.length, 'phrase')} such as “${phrases[0] ?? ''}”, and may be of as many templates`
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
const known = new Map<string, Likeness>()
const MOST_KNOWN = 16

function proposed(texts: ReadonlyMap<string, string>): Likeness {
  const all = [...texts]
    .map(([key, text]) => ({ key, text }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const name = all.map(({ key, text }) => `${key}\u0000${text}`).join('\u0000')
  const found = known.get(name) ?? likenessOf(all)
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
