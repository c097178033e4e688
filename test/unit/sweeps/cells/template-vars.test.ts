/** @file Variables of the chat template in a sweep: part of each cell and of its key, absent where none are given. */
import { expect, test } from 'vitest'
import { planCells } from '../../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../../evals/sweeps/config.ts'

const cellsOf = (more: object) => {
  const model = { model: 'pebble', data: 'house-tamper', methods: [{ name: 'lora', config: {} }] }
  const config = SweepConfig.parse({ ...model, ...more })
  return planCells(config, { base: null, data: null, prompts: null, numerics: '' })
}

test('they are part of what a cell is', () => {
  const [plain, thinking] = [cellsOf({}), cellsOf({ templateVars: 'enable_thinking=false' })]
  expect(plain.every(({ spec }) => !('templateVars' in spec))).toBe(true)
  expect(thinking.map(({ spec }) => spec)).toEqual(
    plain.map(({ spec }) => ({ ...spec, templateVars: 'enable_thinking=false' })),
  )
  const keys = new Set([...plain, ...thinking].map(({ key }) => key))
  expect(keys.size).toBe(plain.length + thinking.length)
})
