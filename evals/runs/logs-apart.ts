/** @file Two logs that a gate refuses: a reply in them may be that of the other side's model. */
import { counted } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'

type Pair = readonly [ComparedRun, ComparedRun]

/** Throws at the first such pair. */
export function requireLogsApart(pairs: readonly Pair[]): void {
  for (const pair of pairs) requireOwnReplies(pair)
}

/** A cache keeps what a model said that stood behind the name before; under two names there are two entries. */
function requireOwnReplies([one, two]: Pair): void {
  const name = one.provided?.names.find((each) => two.provided?.names.includes(each))
  const from = [two, one].find(({ provided }) => provided && provided.fromCache > 0)
  if (name === undefined || !from) return
  const replies = counted(from.provided!.fromCache, 'reply', 'replies')
  throw new TouchstoneError('compare.cached', { replies, origin: from.origin, name })
}
