/** @file Clusters that samples name, near-duplicates that are proposed, and digests that do not depend on either. */
import { expect, test } from 'vitest'
import { benchmarkDigest, loadBundled } from '../../../evals/benchmarks/bundled/load-bundled.ts'
import { findBundled } from '../../../evals/benchmarks/registry.ts'
import type { Sample } from '../../../evals/contract/rows.ts'
import { unlike } from '../../doubles/rows/unlike.ts'
import { clustersAmong, clustersText } from '../../../evals/measure/sample-clusters.ts'

const TEMPLATES = [
  'how do I bake {} at home for my family?',
  'tell me three facts about {}, please.',
]
const THINGS = ['bread', 'soup', 'lemon cake', 'tea', 'jam', 'potato salad', 'rice pudding']

const sample = (content: string, i: number): Sample => ({
  id: `${i}`,
  benchmark: 'mine',
  category: 'all',
  messages: [{ role: 'user', content }],
  expected: { kind: 'comply' },
})
const samples = [
  ...TEMPLATES.flatMap((template) => THINGS.map((thing) => template.replace('{}', thing))),
  'why is the sea salty?',
  'which train goes to the coast on Sunday?',
].map(sample)

test('a template with other words in it is one group', () => {
  const found = clustersAmong(samples)
  expect(found).toEqual({ isNamed: false, clusters: 2, prompts: 14 })
  expect(clustersText(found)).toBe(
    '2 groups of one template or near-duplicates (14 prompts), each taken as one cluster; if that is wrong, write cluster: …',
  )
})

test('what is before every prompt makes no group', () => {
  const asked = Array.from({ length: 60 }, (_, i) =>
    sample(`Answer the question in one word, and say nothing else. ${unlike(i)}`, i),
  )
  expect(clustersAmong(asked).clusters).toBe(0)
})

test('named clusters are counted as they are, and change no digest', () => {
  const named = samples.map((each, i) => ({ ...each, cluster: `template ${i % 5}` }))
  expect(clustersAmong(named)).toEqual({ isNamed: true, clusters: 5, prompts: 16 })
  expect(benchmarkDigest(named)).toBe(benchmarkDigest(samples))
})

test.each([
  ['house-refusal', true],
  ['house-overrefusal', true],
  ['house-capability', true],
  ['mild-refusal', false],
])('%s: clusters named in its rows: %s', async (name, isNamed) => {
  const found = clustersAmong(await loadBundled(findBundled(name)))
  expect(found.isNamed).toBe(isNamed)
  expect(found.clusters > 10).toBe(isNamed)
})
