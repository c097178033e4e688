/** @file Files of labels by people. */
import type { Label, LabelItem } from '../contract/evidence.ts'
import { replyKey } from '../contract/keys.ts'
import { Outcome } from '../contract/rows.ts'
import { readTable } from '../tables/read-table.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

const LABELS = Outcome.options

export const LABEL_COLUMNS = ['item', 'prompt', 'reply', 'outcome'] as const

const textOf = (value: unknown) => (typeof value === 'string' ? value.trim() : '')

interface Labelling {
  readonly rater: string
  readonly now: number
  /** Of the run's replies, by `replyKey`; also of those that are kept apart. */
  readonly texts: ReadonlyMap<string, string>
}

/** As a table program may have written it: other spaces, signs and line ends. */
const lettersOf = (text: string) => text.normalize('NFKC').replaceAll(/[^\p{L}\p{N}]/gu, '')

/**
 * Reads the columns `item` and `outcome` of a labelled file; rows without an outcome are left for later. A row that shows the reply of
 * another item is refused: columns that were sorted apart give each reply another one's label.
 */
export async function readLabels(
  path: string,
  items: readonly LabelItem[],
  { rater, now, texts }: Labelling,
): Promise<Label[]> {
  const { columns, rows } = await readTable(path)
  const missing = ['item', 'outcome'].filter((name) => !columns.includes(name))
  if (missing.length > 0) {
    throw new TouchstoneError('labels.file', {
      path,
      why: `it has no column ${missing.join(', ')}`,
    })
  }
  const known = new Map(
    items.map((item) => [item.item, lettersOf(texts.get(replyKey(item)) ?? '')]),
  )
  const all = new Set(known.values())
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
    const shown = lettersOf(textOf(row['reply']))
    if (shown !== known.get(item) && shown !== '' && all.has(shown))
      throw refuse('its reply is the one of another item; were columns sorted apart?')
    const parsed = Outcome.safeParse(outcome)
    if (!parsed.success) throw refuse(`its outcome is none of ${LABELS.join(', ')}`)
    return [{ item, rater, outcome: parsed.data, labelledAt: now, isSettling: false }]
  })
}
