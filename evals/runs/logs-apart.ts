/** @file Logs that a gate refuses: of looks that are not in them, or of rows that are, or may be, the other side's. */
import { counted } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'

type Pair = readonly [ComparedRun, ComparedRun]

/** Throws at the first such pair. */
export function requireLogsApart(pairs: readonly Pair[]): void {
  for (const pair of pairs) {
    pair.forEach(requireOneLook)
    requireOwnRows(pair)
    requireOwnReplies(pair)
  }
}

/** Tested at the whole α a log of a run with looks would spend it a second time. */
export function requireOneLook({ origin, benchmarks }: ComparedRun): void {
  const found = benchmarks.find(({ looks }) => looks !== undefined)
  if (!found) return
  const said = { benchmark: found.name, looks: found.looks! }
  throw new TouchstoneError('compare.looked', { origin, ...said })
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
