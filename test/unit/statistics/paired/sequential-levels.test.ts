import { expect, test } from 'vitest'
import fixture from '../../../golden/fixtures/sequential.json' with { type: 'json' }
import { nominalLevels } from '../../../../evals/statistics/sequential/nominal-levels.ts'
import { carriedTable } from '../../../../evals/statistics/sequential/paired-table.ts'
import { spentBy, type Spending } from '../../../../evals/statistics/sequential/spending.ts'

test.each(fixture.looks)('levels of looks: $spending at $fractions', (row) => {
  const spent = spentBy(row.spending as Spending, row.fractions, row.alpha)
  nominalLevels(row.fractions, spent).forEach((level, k) =>
    expect(Math.abs(level / row.levels[k]! - 1)).toBeLessThan(1e-4),
  )
})

test.each(fixture.tables)('paired counts carried over looks at $sizes', (row) => {
  const table = carriedTable(row.sizes.at(-1)!, row)
  let passed = 0
  row.sizes.forEach((n, k) => {
    table.advance(n)
    table.stopWhere((lost, gained, probability) => {
      if (lost > row.limits[k]! + gained) return false
      passed += probability
      return true
    })
    expect(passed).toBeCloseTo(row.passed[k]!, 12)
  })
})
