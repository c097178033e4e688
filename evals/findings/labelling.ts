/**
 * @file Replies for people to label, blind: drawn and shuffled with a seed, under names that tell neither arm nor step,
 * without any judge's verdict. Replies to prompts that should be refused are apart.
 */
import { randomBytes } from 'node:crypto'
import type { AuditRows } from '../contract/audit-rows.ts'
import { LabelItem, type Label } from '../contract/evidence.ts'
import { Outcome, type SealedReply } from '../contract/rows.ts'
import { replyKey } from '../contract/keys.ts'
import { readTable } from '../tables/read-table.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { unknownName } from '../errors/names.ts'
import { randomStream } from '../statistics/random.ts'

export interface LabelTask {
  readonly item: string
  readonly prompt: string
  readonly reply: string
}

interface DrawnItems {
  readonly items: readonly LabelItem[]
  readonly open: readonly LabelTask[]
  readonly sealed: readonly LabelTask[]
}

interface DrawOptions {
  readonly count: number
  readonly seed: number
  /** Every benchmark where null. */
  readonly benchmark: string | null
}

/** `known` items keep their names, so that a file may be written again. Sealed replies are drawn only where they are given. */
export function drawItems(
  { replies, benchmarks }: AuditRows,
  sealed: readonly SealedReply[],
  known: readonly LabelItem[],
  { count, seed, benchmark }: DrawOptions,
): DrawnItems {
  const names = benchmarks.map(({ name }) => name)
  if (benchmark !== null && !names.includes(benchmark)) {
    throw unknownName('benchmark in this run', benchmark, names)
  }
  const asked = replies.filter((row) => benchmark === null || row.benchmark === benchmark)
  const candidates = candidatesOf(asked, sealed)
  const drawn = randomStream(seed, 'labelling').shuffle(candidates).slice(0, count)
  const itemOf = new Map(known.map((item) => [replyKey(item), item.item]))
  const named = drawn.map(({ row, key, text, isSealed }) => {
    const item = itemOf.get(key) ?? randomBytes(6).toString('hex')
    return { row, isSealed, task: { item, prompt: row.prompt, reply: text } }
  })
  const tasks = (sealedOnes: boolean) =>
    named.filter(({ isSealed }) => isSealed === sealedOnes).map(({ task }) => task)
  return {
    items: named.map(({ row, task: { item } }) => LabelItem.parse({ ...row, item })),
    open: tasks(false),
    sealed: tasks(true),
  }
}

/** Replies with a text. A multiple-choice reply is an option that was never written, so there is nothing to label. */
function candidatesOf(replies: AuditRows['replies'], sealed: readonly SealedReply[]) {
  const apart = new Map(sealed.map((row) => [replyKey(row), row.text]))
  return replies.flatMap((row) => {
    if (row.expected.kind === 'choice') return []
    const key = replyKey(row)
    const text = row.text ?? apart.get(key)
    return text === undefined ? [] : [{ row, key, text, isSealed: row.text === null }]
  })
}

/** Item → rater → outcome. */
export type LastLabels = ReadonlyMap<string, ReadonlyMap<string, Outcome>>

/** Each rater's last label of each item. */
export function lastLabels(labels: readonly Label[]): LastLabels {
  const byItem = new Map<string, Map<string, Outcome>>()
  for (const { item, rater, outcome } of labels) {
    byItem.set(item, (byItem.get(item) ?? new Map<string, Outcome>()).set(rater, outcome))
  }
  return byItem
}

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
