/** @file What is stored of the base, as a journal for processes that measure arms which begin as it. */
import { join } from 'node:path'
import type { FinishedEvaluation } from '../../contract/audit-rows.ts'
import type { JobEventBody } from '../../contract/events.ts'
import type { Progress } from '../../contract/job.ts'
import { isBase } from '../../contract/keys.ts'
import type { MetricRow, ReplyRow, SealedReply, VerdictRow } from '../../contract/rows.ts'
import type { BaseRows } from '../../measure/known/start.ts'
import { openJournal, replay } from './journal.ts'

const pathIn = (folder: string): string => join(folder, 'base.jsonl')

export async function writeBaseRows(folder: string, progress: Progress): Promise<void> {
  const journal = await openJournal(pathIn(folder))
  journal.begin()
  const { replies, verdicts, metrics, evaluations } = progress.rows()
  for (const row of replies.filter(isBase)) journal.emit({ type: 'reply', row })
  for (const row of verdicts.filter(isBase)) journal.emit({ type: 'verdict', row })
  for (const row of metrics.filter(isBase)) journal.emit({ type: 'metric', row })
  for (const row of progress.sealed().filter(isBase)) journal.seal(row)
  for (const { arm, seed, step, benchmark, samples } of evaluations.filter(isBase))
    journal.emit({ type: 'evaluation-end', subject: { arm, seed, step }, benchmark, samples })
  await journal.finish()
}

export async function readBaseRows(folder: string): Promise<BaseRows> {
  const replies: ReplyRow[] = []
  const verdicts: VerdictRow[] = []
  const metrics: MetricRow[] = []
  const sealed: SealedReply[] = []
  const emit = (event: JobEventBody) => {
    if (event.type === 'reply') replies.push(event.row)
    if (event.type === 'verdict') verdicts.push(event.row)
    if (event.type === 'metric') metrics.push(event.row)
  }
  const seal = (row: SealedReply) => void sealed.push(row)
  const flush = () => undefined
  const evaluations: FinishedEvaluation[] = await replay(pathIn(folder), 'base', {
    emit,
    seal,
    flush,
  })
  return { rows: () => ({ replies, verdicts, metrics, evaluations }), sealed: () => sealed }
}
