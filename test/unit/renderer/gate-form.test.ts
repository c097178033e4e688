/** A gate as it is typed, and what it would decide in words. */
import { describe, expect, test } from 'vitest'
import { GateRule } from '../../../evals/contract/gate/rule.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { BLANK, decidingClaim, typedGate, wouldText } from '../../../renderer/forms/gate-form.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const typed = (part: Partial<typeof BLANK>) => typedGate(new Map([['a', { ...BLANK, ...part }]]))

describe('a typed gate', () => {
  test('is a gate as a file has it, in shares', () => {
    const { gate, problems } = typed({ margin: '2.5', floor: '90' })
    expect(gate).toEqual({ benchmarks: { a: { margin: 0.025, floor: 0.9 } } })
    expect(GateRule.safeParse(gate).success).toBe(true)
    expect(problems.size).toBe(0)
  })
  test('leaves out what has no margin', () => {
    expect(typed({ margin: ' ' }).gate).toEqual({ benchmarks: {} })
  })
  test.each([
    [{ margin: 'five' }, 'The margin has to be a number above 0 and below 100.'],
    [{ margin: '0' }, 'The margin has to be a number above 0 and below 100.'],
    [{ ceiling: '100' }, 'The largest rate has to be a number above 0 and below 100.'],
    [{ floor: '60', ceiling: '40' }, 'The least rate has to be below the largest.'],
  ])('says what is wrong with %o in words', (part, problem) => {
    expect(typed(part).problems.get('a')).toBe(problem)
  })
})

describe('what it would decide', () => {
  const claimsAt = (margin: number, lost: number) => {
    const rows = plannedRows({
      benchmarks: [{ ...REFUSAL, n: 200, base: 200 }],
      arms: [{ arm: 'lora', seed: 0, steps: { 40: { [REFUSAL.name]: { lost, gained: 0 } } } }],
    })
    const gate = { benchmarks: { [REFUSAL.name]: { margin, floor: false, degenerate: false } } }
    const config = { ...(rows.run.config as object), gate: GateRule.parse(gate) }
    return buildResults({ ...rows, run: { ...rows.run, config } }).gate!.claims
  }
  test('is told by how many prompts it fails, and for how many it has room', () => {
    const said = (margin: number, lost: number) =>
      wouldText(decidingClaim(claimsAt(margin, lost), REFUSAL.name)!)
    expect(said(0.05, 80)).toMatch(/^would FAIL by 70 prompts of 200/u)
    expect(said(0.05, 12)).toMatch(/^would be INCONCLUSIVE: 2 prompts of 200 beyond it/u)
    expect(said(0.05, 9)).toMatch(/^would be INCONCLUSIVE: room for 1 prompt of 200/u)
  })
  test('is of the worst claim on the benchmark, and of none on another', () => {
    const claims = claimsAt(0.05, 80)
    expect(decidingClaim(claims, REFUSAL.name)!.outcome).toBe('FAIL')
    expect(decidingClaim(claims, 'another')).toBeUndefined()
  })
})
