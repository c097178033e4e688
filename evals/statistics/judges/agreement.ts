/** @file Agreement of two judges: Cohen's κ = (p_o − p_e)/(1 − p_e). */
import { requireCounts } from '../require.ts'

/**
 * `table[i][j]` counts the replies that one judge labels i and the other j. Null if chance agreement is 1 or the table is
 * empty.
 */
export function cohenKappa(table: readonly (readonly number[])[]): number | null {
  const size = table.length
  if (table.some((row) => row.length !== size)) {
    throw new Error('internal: an agreement table must be square')
  }
  for (const row of table) for (const count of row) requireCounts({ count })
  const rows = table.map((row) => row.reduce((sum, x) => sum + x, 0))
  const columns = table.map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0))
  const n = rows.reduce((sum, x) => sum + x, 0)
  // Products of integers, so that the comparison with full agreement is exact.
  const byChance = rows.reduce((sum, x, i) => sum + x * columns[i]!, 0)
  if (byChance === n * n) return null
  const agreed = table.reduce((sum, row, i) => sum + row[i]!, 0)
  return (agreed * n - byChance) / (n * n - byChance)
}
