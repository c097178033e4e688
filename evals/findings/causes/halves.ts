/**
 * @file The prompts of a run in two halves: on one, causes are looked for and remedies are chosen; on the other, they are judged.
 * Prompts of one cluster are in one half, and a prompt is in the same half in every context.
 */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { isBase } from '../../contract/keys.ts'
import type { BenchmarkRow, ReplyRow } from '../../contract/rows.ts'
import { randomStream } from '../../statistics/random.ts'
import { clustersOf } from '../gate/clusters.ts'

export type Half = 'chosen-on' | 'judged-on'

type Prompt = Pick<ReplyRow, 'benchmark' | 'sampleId'>

/** Shuffled clusters go to the two halves in turn; what stands by itself is a cluster of one. */
export function halvesOf({
  benchmarks,
  replies,
}: Pick<AuditRows, 'benchmarks' | 'replies'>): (prompt: Prompt) => Half {
  const asked = Map.groupBy(replies.filter(isBase), ({ benchmark }) => benchmark)
  const plain = benchmarks.filter(({ context }) => !context)
  const halves = new Map(plain.map(({ name }) => [name, halfOfClusters(asked.get(name) ?? [])]))
  const of = new Map(benchmarks.map((row) => [row.name, plainName(row)]))
  return ({ benchmark, sampleId }) =>
    halves.get(of.get(benchmark) ?? benchmark)?.(sampleId) ?? 'judged-on'
}

const plainName = ({ name, context }: BenchmarkRow) => context?.of ?? name

function halfOfClusters(rows: readonly ReplyRow[]): (sampleId: string) => Half {
  const { of } = clustersOf([
    rows.map(({ sampleId, prompt, promptDigest, cluster }) => ({
      ...{ sampleId, prompt, promptDigest },
      ...(typeof cluster === 'string' && { cluster }),
    })),
  ])
  const clusterOf = (sampleId: string) => of.get(sampleId) ?? `alone ${sampleId}`
  const clusters = [...new Set(rows.map(({ sampleId }) => clusterOf(sampleId)))].sort()
  const order = randomStream(0, 'halves of prompts').shuffle(clusters)
  const first = new Set(order.filter((_, i) => i % 2 === 0))
  return (sampleId) => (first.has(clusterOf(sampleId)) ? 'chosen-on' : 'judged-on')
}
