/** @file Two logs that a gate refuses: a row in them is, or may be, that of the other side's model. */
import { counted } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'

type Pair = readonly [ComparedRun, ComparedRun]

/** Throws at the first such pair. */
export function requireLogsApart(pairs: readonly Pair[]): void {
  for (const pair of pairs) {
    requireOwnRows(pair)
    requireOwnReplies(pair)
  }
}

/** No two evaluations draw one id. */
function requireOwnRows([one, two]: Pair): void {
  const other = one.rowIds?.()
  if (!other) return
  const shared = [...(two.rowIds?.() ?? [])].filter(([id]) => other.has(id))
  const [first] = shared
  if (!first) return
  const [id, sample] = first
  const rows = counted(shared.length, 'row')
  const origins = { before: one.origin, after: two.origin }
  throw new TouchstoneError('compare.copied', { rows, ...origins, id, sample })
}

/** A cache keeps what a model said that stood behind the name before; under two names there are two entries. */
function requireOwnReplies([one, two]: Pair): void {
  const name = one.provided?.names.find((each) => two.provided?.names.includes(each))
  const from = [two, one].find(({ provided }) => provided && provided.fromCache > 0)
  if (name === undefined || !from) return
  const replies = counted(from.provided!.fromCache, 'reply', 'replies')
  throw new TouchstoneError('compare.cached', { replies, origin: from.origin, name })
}
