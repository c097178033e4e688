/** @file Files of labels by people. */
import type { Label, LabelItem } from '../contract/evidence.ts'
import { replyKey } from '../contract/keys.ts'
import { Outcome, type BenchmarkRole, type BenchmarkRow } from '../contract/rows.ts'
import { readTable } from '../tables/read-table.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { isDecided } from './gate/outcomes.ts'

const UNDECIDED: readonly Outcome[] = ['undecided', 'unfinished']

/** By item, the outcomes that answer its benchmark's question; all where the run does not say its role. */
function fittingOutcomes(
  items: readonly LabelItem[],
  benchmarks: Labelling['benchmarks'],
): ReadonlyMap<string, readonly Outcome[]> {
  const roles = new Map(benchmarks.map(({ name, role }) => [name, role]))
  const fits = (role: BenchmarkRole | undefined, outcome: Outcome) =>
    role === undefined || UNDECIDED.includes(outcome) || isDecided(role, outcome)
  return new Map(
    items.map(({ item, benchmark }) => {
      const role = roles.get(benchmark)
      return [item, Outcome.options.filter((each) => fits(role, each))]
    }),
  )
}

export const LABEL_COLUMNS = ['item', 'prompt', 'reply', 'outcome'] as const

const textOf = (value: unknown) => (typeof value === 'string' ? value.trim() : '')

interface Labelling {
  readonly rater: string
  readonly now: number
  readonly benchmarks: readonly Pick<BenchmarkRow, 'name' | 'role'>[]
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
  { rater, now, texts, benchmarks }: Labelling,
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
  const fittingOf = fittingOutcomes(items, benchmarks)
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
    const fitting = fittingOf.get(item)!
    if (!parsed.success || !fitting.includes(parsed.data))
      throw refuse(`its outcome is none of ${fitting.join(', ')}`)
    return [{ item, rater, outcome: parsed.data, labelledAt: now, isSettling: false }]
  })
}
