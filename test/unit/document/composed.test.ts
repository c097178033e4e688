/** @file The sections of what was generated from adapters, and of what is gone from a model. */
import { expect, test } from 'vitest'
import { PRUNED_SHARE } from '../../../evals/contract/metrics/pruning.ts'
import type { GeneratedAdapter } from '../../../evals/contract/subjects/generated.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { terminalText } from '../../../evals/document/terminal.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedRows } from '../../doubles/rows/audit-rows.ts'

const rows = plannedRows({
  benchmarks: [{ name: 'house-refusal', role: 'refusal', n: 40, base: 40 }],
  arms: ['generate:generated', 'generate:mean'].map((arm) => ({
    arm,
    seed: 0,
    steps: { 0: { 'house-refusal': { lost: arm.endsWith('mean') ? 10 : 20, gained: 0 } } },
    intruders: 0,
  })),
})
const generated = (kind: 'generated' | 'mean', distance: number): GeneratedAdapter => ({
  ...{ line: 'tasks.json@rows.jsonl', kind, wanted: 'rows.jsonl', loss: [2, 0.5], spacing: 0.4 },
  tasks: [{ name: 'polite', adapters: ['a', 'b'] }],
  reconstruction: { median: 0.25, worst: 0.5 },
  nearest: { adapter: 'b', distance },
})

const textOf = (distance: number) => {
  const subjects = rows.subjects.map((row) =>
    row.arm === 'base'
      ? row
      : { ...row, generated: generated(row.arm.endsWith('mean') ? 'mean' : 'generated', distance) },
  )
  return terminalText(sectionsOf(buildResults({ ...rows, subjects }), 'terminal'))
}

test('what was generated stands beside its controls, and what was remembered is called so', () => {
  const text = textOf(0.3)
  expect(text).toContain('from 2 adapters of 1 task (polite)')
  expect(text).toContain('25.0 % are lost at the median')
  expect(text).toContain('it was remembered')
  expect(text).toMatch(/generate:generated.*50\.0 %/u)
  expect(text).toMatch(/generate:mean.*75\.0 %/u)
  expect(textOf(0.5)).toContain('it is none of them')
})

test('what is gone is told of each state', () => {
  const row = { arm: 'lora-prune', seed: 1, step: 20, name: PRUNED_SHARE, value: 0.375 }
  const told = (metrics: typeof rows.metrics) =>
    terminalText(sectionsOf(buildResults({ ...rows, metrics }), 'terminal'))
  expect(told([...rows.metrics, row])).toMatch(/lora-prune, seed 1 +20 +37\.5 %/u)
  expect(told(rows.metrics)).not.toContain('Pruned')
})
