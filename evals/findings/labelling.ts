/** @file Files of labels by people. */
import type { Label, LabelItem } from '../contract/evidence.ts'
import { Outcome } from '../contract/rows.ts'
import { readTable } from '../tables/read-table.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

const LABELS = Outcome.options

export const LABEL_COLUMNS = ['item', 'prompt', 'reply', 'outcome'] as const

const textOf = (value: unknown) => (typeof value === 'string' ? value.trim() : '')

/** Reads the columns `item` and `outcome` of a labelled file; rows without an outcome are left for later. */
export async function readLabels(
  path: string,
  items: readonly LabelItem[],
  { rater, now }: { rater: string; now: number },
): Promise<Label[]> {
  const { columns, rows } = await readTable(path)
  const missing = ['item', 'outcome'].filter((name) => !columns.includes(name))
  if (missing.length > 0) {
    throw new TouchstoneError('labels.file', {
      path,
      why: `it has no column ${missing.join(', ')}`,
    })
  }
  const known = new Set(items.map(({ item }) => item))
  const seen = new Set<string>()
  return rows.flatMap((row, index) => {
    const refuse = (why: string) =>
      new TouchstoneError('labels.file', { path, why: `row ${index + 1}: ${why}` })
    const item = textOf(row['item'])
    const outcome = textOf(row['outcome']).toLowerCase()
    if (outcome === '') return []
    if (!known.has(item)) throw refuse('its item is none of this run')
    if (seen.has(item)) throw refuse('its item stands twice')
    seen.add(item)
    const parsed = Outcome.safeParse(outcome)
    if (!parsed.success) throw refuse(`its outcome is none of ${LABELS.join(', ')}`)
    return [{ item, rater, outcome: parsed.data, labelledAt: now, isSettling: false }]
  })
}
