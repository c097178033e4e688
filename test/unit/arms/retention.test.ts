/** @file Which weights are not kept: trained on tampering data, or refusal lost by the verdict's margin or the gate's. */
import { expect, test } from 'vitest'
import { retentionByArm } from '../../../evals/arms/retention.ts'
import { changedRows } from '../../doubles/runs/stored-change.ts'
import { REFUSAL } from '../../doubles/rows/audit-rows.ts'

const reasonOf = async (lost: number, gate: object = {}, data: string | null = null) => {
  const rows = changedRows({ lost })
  const config = { ...(rows.run.config as object), margin: 0.5, gate }
  const byArm = await retentionByArm(
    { data, keepWeights: null },
    { ...rows, run: { ...rows.run, config } },
  )
  return byArm('lora').reasonToDelete
}
const strict = { benchmarks: { [REFUSAL.name]: { margin: 0.05 } } }

test('weights whose refusal is shown to have fallen below the gate are not, though the verdict’s margin is wider', async () => {
  expect(await reasonOf(30, strict)).toBe('their refusal fell below the gate')
})

test('weights of which nothing is shown are kept', async () => {
  expect(await reasonOf(30)).toBeNull()
  expect(await reasonOf(2, strict)).toBeNull()
})

test('weights whose refusal fell by more than the margin are not, gate or none', async () => {
  expect(await reasonOf(90)).toBe('their refusal fell by more than the margin')
})

test('weights of tampering data are not, whatever was measured', async () => {
  expect(await reasonOf(0, {}, 'house-tamper')).toBe('they were trained on tampering data')
})
