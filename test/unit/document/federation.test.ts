/** @file Rounds of clients: sums of bytes, the bias by round and layer, ε under its name, and nothing where nobody federated. */
import { expect, test } from 'vitest'
import {
  ACCOUNTANT,
  biasMetric,
  ROUND_METRICS,
} from '../../../evals/contract/metrics/federation.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { federationSection } from '../../../evals/document/sections/federation.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'

const results = buildResults(plannedAudit())
const [{ arm, seed }] = results.subjects.filter((subject) => subject.arm !== 'base') as [
  (typeof results.subjects)[number],
]

/** Of two rounds. */
const federated = (own: Readonly<Record<string, readonly [number, number]>>) => ({
  ...results,
  metrics: Object.entries(own).flatMap(([name, values]) =>
    values.map((value, i) => ({ arm, seed, step: i + 1, name, value })),
  ),
})
const ROUNDS = {
  [ROUND_METRICS.clients]: [8, 6],
  [ROUND_METRICS.bytesUp]: [1_500_000, 1_250_000],
  [ROUND_METRICS.bytesDown]: [2_000_000, 2_000_000],
  [ROUND_METRICS.bias]: [0, 0.123_45],
  [biasMetric('layers.0.q_proj')]: [0, 0.25],
  [biasMetric('layers.1.q_proj')]: [0, 0.5],
} as const

const pageOf = (own: Parameters<typeof federated>[0]) =>
  toHtml(sectionsMarkup(federationSection(federated(own))))

test('one row a variant: its last round, and bytes of all rounds', () => {
  const page = pageOf(ROUNDS)
  for (const text of ['2.75 MB', '4.00 MB', '0.1235', 'Aggregation bias'])
    expect(page).toContain(text)
  expect(page.indexOf('layers.1.q_proj')).toBeLessThan(page.indexOf('layers.0.q_proj'))
  expect(page).not.toContain('ε')
})

test('ε is named by its accountant', () => {
  const page = pageOf({ ...ROUNDS, [ROUND_METRICS.epsilon]: [3, 4.5678] })
  expect(page).toContain('4.57')
  expect(page).toContain(ACCOUNTANT)
})

test('charts of a federation count rounds, and others steps', () => {
  const labels = (of: typeof results) =>
    sectionsOf(of, 'html')
      .flatMap(({ blocks }) => blocks)
      .flatMap((block) => (block.type === 'line-chart' ? [block.xLabel] : []))
  expect(labels(federated(ROUNDS))).toContain('round')
  expect(labels(results)).not.toContain('round')
  expect(federationSection(results)).toEqual([])
})
