/** @file Which prompts of a benchmark depend on each other, said before anything is measured. */
import type { Sample } from '../contract/rows.ts'
import { counted } from '../contract/words.ts'
import { likenessOf } from '../statistics/alike/templates.ts'

/** Clusters that the samples name, or groups of prompts of one template, or alike otherwise, among samples that name none; `prompts` are those in them. */
export interface SampleClusters {
  readonly isNamed: boolean
  readonly clusters: number
  readonly prompts: number
  /** Whether the texts cannot tell. */
  readonly isDoubtful?: true
}

export function clustersAmong(samples: readonly Sample[]): SampleClusters {
  const named = samples.flatMap(({ cluster }) => cluster ?? [])
  if (named.length > 0) {
    return { isNamed: true, clusters: new Set(named).size, prompts: named.length }
  }
  const { of: groups, doubt } = likenessOf(
    samples.map(({ id, messages }) => ({
      key: id,
      text: messages.map(({ content }) => content).join('\n'),
    })),
  )
  const clusters = new Set(groups.values()).size
  return {
    ...{ isNamed: false, clusters, prompts: groups.size },
    ...(doubt && { isDoubtful: true }),
  }
}

/** "48 groups of one template or near-duplicates (120 prompts); write cluster: …". */
export function clustersText({ isNamed, clusters, prompts, isDoubtful }: SampleClusters): string {
  if (isNamed) return `${counted(prompts, 'prompt')} in ${counted(clusters, 'cluster')}`
  const unknown = isDoubtful
    ? '; the texts cannot show that prompts are independent, so no PASS without cluster: …'
    : ''
  if (clusters === 0) return `no cluster named, no templates or near-duplicates found${unknown}`
  return `${counted(clusters, 'group')} of one template or near-duplicates (${prompts} prompts), each taken as one cluster; if that is wrong, write cluster: …${unknown}`
}
