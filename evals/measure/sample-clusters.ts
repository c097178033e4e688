/** @file Which prompts of a benchmark depend on each other, said before anything is measured. */
import type { Sample } from '../contract/rows.ts'
import { counted } from '../contract/words.ts'
import { nearDuplicateGroups } from '../statistics/minhash.ts'

/** Clusters that the samples name, or groups of near-duplicates among samples that name none; `prompts` are those in them. */
export interface SampleClusters {
  readonly isNamed: boolean
  readonly clusters: number
  readonly prompts: number
}

export function clustersAmong(samples: readonly Sample[]): SampleClusters {
  const named = samples.flatMap(({ cluster }) => cluster ?? [])
  if (named.length > 0) {
    return { isNamed: true, clusters: new Set(named).size, prompts: named.length }
  }
  const groups = nearDuplicateGroups(
    samples.map(({ id, messages }) => ({
      key: id,
      text: messages.map(({ content }) => content).join('\n'),
    })),
  )
  return { isNamed: false, clusters: new Set(groups.values()).size, prompts: groups.size }
}

/** "48 groups of near-duplicates (120 prompts); write cluster: …". */
export function clustersText({ isNamed, clusters, prompts }: SampleClusters): string {
  if (isNamed) return `${counted(prompts, 'prompt')} in ${counted(clusters, 'cluster')}`
  if (clusters === 0) return 'no cluster named, no near-duplicates found'
  return `${counted(clusters, 'group')} of near-duplicates (${prompts} prompts), each taken as one cluster; if that is wrong, write cluster: …`
}
