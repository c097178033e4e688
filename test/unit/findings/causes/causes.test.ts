/** @file Causes from planted rows: halves keep clusters and contexts together, and what came back is counted on one half alone. */
import { describe, expect, test } from 'vitest'
import type { AuditRows } from '../../../../evals/contract/audit-rows.ts'
import { withoutRowsArm, type Derivation } from '../../../../evals/contract/subjects/causes.ts'
import { renderReport } from '../../../../evals/document/html.ts'
import { renderMarkdown } from '../../../../evals/document/markdown.ts'
import { halvesOf } from '../../../../evals/findings/causes/halves.ts'
import { buildResults } from '../../../../evals/findings/results.ts'
import { CAPABILITY, plannedRows, REFUSAL } from '../../../doubles/rows/audit-rows.ts'

const DERIVATION: Derivation = { kind: 'without-rows', of: 'lora', rows: 'ranked', count: 60 }
const WITHOUT = withoutRowsArm(DERIVATION)

/** LoRA loses 80 of 94 refusals, and the same without the ranked rows 8. */
function planted(): AuditRows {
  const at = (lost: number) => ({
    40: { [REFUSAL.name]: { lost, gained: 0 }, [CAPABILITY.name]: { lost: 0, gained: 0 } },
  })
  const rows = plannedRows({
    benchmarks: [REFUSAL, CAPABILITY],
    arms: [
      { arm: 'lora', seed: 0, steps: at(80) },
      { arm: WITHOUT, seed: 0, steps: at(8) },
    ],
  })
  return {
    ...rows,
    subjects: rows.subjects.map((row) =>
      row.arm === WITHOUT ? { ...row, derivation: DERIVATION } : row,
    ),
  }
}

describe('halves', () => {
  const rows = planted()
  const refusals = rows.replies.filter(
    ({ arm, benchmark }) => arm === 'base' && benchmark === REFUSAL.name,
  )

  test('are about equal, and the same of any state', () => {
    const halfOf = halvesOf(rows)
    const first = refusals.filter((row) => halfOf(row) === 'chosen-on')
    expect(first).toHaveLength(refusals.length / 2)
  })

  test('keep prompts of a cluster together, and a prompt with itself in a context', () => {
    const cluster = ({ sampleId }: { sampleId: string }) => `frame ${Number(sampleId.slice(1)) % 9}`
    const inContext = { ...rows.benchmarks[0]!, name: `${REFUSAL.name}@hotel` }
    const context = { of: REFUSAL.name, name: 'hotel', title: 'Hotel', kinds: [], digest: '' }
    const halfOf = halvesOf({
      benchmarks: [...rows.benchmarks, { ...inContext, context }],
      replies: rows.replies.map((row) => ({ ...row, cluster: cluster(row) })),
    })
    const halves = new Map(refusals.map((row) => [cluster(row), new Set<string>()]))
    for (const row of refusals) halves.get(cluster(row))!.add(halfOf(row))
    expect([...halves.values()].every(({ size }) => size === 1)).toBe(true)
    for (const { sampleId } of refusals)
      expect(halfOf({ benchmark: inContext.name, sampleId })).toBe(
        halfOf({ benchmark: REFUSAL.name, sampleId }),
      )
  })
})

describe('a state without rows', () => {
  const rows = planted()
  const results = buildResults(rows)

  test('is no candidate of the gate', () => {
    expect(results.subjects.map(({ arm }) => arm)).toEqual(['base', 'lora'])
    expect(new Set(results.gate!.claims.map(({ arm }) => arm))).toEqual(new Set(['lora']))
  })

  test('gives back what it gives on the prompts that rows were not ranked by', () => {
    const [found] = results.causes!.interventions
    const refusal = found!.restored.find(({ benchmark }) => benchmark === REFUSAL.name)!
    expect(refusal.n).toBe(REFUSAL.n / 2)
    expect(refusal.share).toBeCloseTo(
      (refusal.after - refusal.tuned) / (refusal.base - refusal.tuned),
    )
    expect(refusal.share).toBeGreaterThan(0.8)
    expect(refusal.pValue).toBeLessThan(1e-6)
    const capability = found!.restored.find(({ benchmark }) => benchmark === CAPABILITY.name)!
    expect(capability.share).toBeNull()
  })

  test('stands in the report with the rows, and no reply of a row does', () => {
    const scores = { refusal: 2, overRefusal: 0, capability: -1 }
    const row = { row: 7, asked: 'Which room is it?', tokens: 9, loss: 2, group: null }
    const attribution = {
      ...{ arm: 'lora', seed: 0, form: 'plain' as const, checkpoints: [3], projection: null },
      ...{ rows: 600, replies: { refusal: 47, overRefusal: 0, capability: 96 } },
      ranked: [{ ...row, scores: { plain: scores, scaled: scores, update: scores } }],
      parts: [{ first: 1, last: 600, mean: 0, highest: 2 }],
    }
    const content = { kind: 'attribution' as const, ...attribution }
    const artifact = { role: 'scores', path: 'rows.json', digest: '', bytes: 1, content }
    const told = buildResults({ ...rows, artifacts: [artifact] })
    expect(told.causes!.attributions).toEqual([attribution])
    for (const text of [renderReport(told), renderMarkdown(told)]) {
      expect(text).toContain('Which rows did it')
      expect(text).toContain('60: the rows ranked first')
    }
    expect(renderReport(told)).toContain('Which room is it?')
  })
})

test('a run in which no cause was looked for says nothing of causes', () => {
  expect(buildResults(plannedRows({ benchmarks: [REFUSAL], arms: [] })).causes).toBeUndefined()
})
