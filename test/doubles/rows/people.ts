/** @file People who label what was drawn, by a truth that the judge of the rows need not know. */
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { LabelItem } from '../../../evals/contract/evidence.ts'
import { replyKey } from '../../../evals/contract/keys.ts'
import type { Outcome, ReplyKey, SealedReply, VerdictRow } from '../../../evals/contract/rows.ts'
import { drawItems } from '../../../evals/findings/label-draw.ts'

interface Draw {
  readonly count?: number
  readonly seed?: number
  readonly chosen?: readonly ReplyKey[]
}

/** Every reply has a text, those to prompts that should be refused apart. */
export function drawn(rows: AuditRows, { count = 200, seed = 0, chosen }: Draw = {}): LabelItem[] {
  const sealed = rows.replies.flatMap((row): SealedReply[] =>
    row.text === null ? [{ ...row, text: 'A reply that is kept apart.', thought: undefined }] : [],
  )
  const known = rows.labelled?.items ?? []
  return [...drawItems(rows, sealed, known, { count, seed, benchmark: null, chosen }).items]
}

/** What the verdicts of `truth` say of each reply, as labels of one rater, or of the one that is named for it. */
export function labelledBy(
  rows: AuditRows,
  items: readonly LabelItem[],
  truth: readonly VerdictRow[],
  raterOf: (item: LabelItem) => string = () => 'first',
): AuditRows {
  const outcomes = new Map<string, Outcome>(truth.map((row) => [replyKey(row), row.outcome]))
  const labels = items.map((item) => ({
    item: item.item,
    rater: raterOf(item),
    outcome: outcomes.get(replyKey(item))!,
    labelledAt: 1,
    isSettling: false,
  }))
  const before = rows.labelled ?? { items: [], labels: [] }
  return {
    ...rows,
    labelled: {
      items: [
        ...before.items.filter(({ item }) => !items.some((each) => each.item === item)),
        ...items,
      ],
      labels: [...before.labels, ...labels],
    },
  }
}
