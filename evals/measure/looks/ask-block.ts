/** @file Prompts of one benchmark asked of a model state in one go: its replies, what the base and every judge say of them, recorded. */
import { isBase } from '../../contract/keys.ts'
import type { ReplyKey, ReplyRow, SubjectKey, VerdictRow } from '../../contract/rows.ts'
import type { Origin } from '../../contract/subjects/origin.ts'
import type { JobContext } from '../../contract/job.ts'
import { sha256 } from '../../files/digest.ts'
import type { Subject } from '../../inference/subject.ts'
import type { Judge } from '../../judges/judge.ts'
import { findJudge } from '../../judges/registry.ts'
import { answersOf, type Reply } from '../answers.ts'
import { withBaseScores, type Answered, type BaseScores } from '../base-scores.ts'
import { promptOf, type PreparedBenchmark } from '../benchmark-sources.ts'
import type { KeptBase } from '../known/kept-base.ts'
import { thoughtfulVerdicts } from '../thoughts.ts'

/** Of an evaluation's plan. */
export interface AskingPlan {
  /** Judges with a model of their own, which are not in the registry. */
  readonly judges?: readonly Judge[]
  /** Absent if only the base is measured. */
  readonly baseScores?: BaseScores
  /** What earlier runs kept of the base; absent where it is asked everything. */
  readonly kept?: KeptBase
}

export interface Asking {
  readonly prepared: PreparedBenchmark
  readonly plan: AskingPlan
  readonly phase: string
}

/** Gives where the rows come from that were not asked. */
export async function askBlock(
  subject: Subject,
  key: SubjectKey,
  { prepared, plan, phase }: Asking,
  context: JobContext,
): Promise<Origin | undefined> {
  const { emit, signal } = context
  const judges = prepared.benchmark.judges.map(
    (name) => plan.judges?.find((judge) => judge.name === name) ?? findJudge(name),
  )
  const isScored = plan.baseScores !== undefined
  const kept = isBase(key) ? await plan.kept?.block({ prepared, judges, isScored }) : undefined
  const due = { ...prepared, samples: kept?.due ?? prepared.samples }
  const replies = await answersOf(subject, due, {
    of: key,
    signal,
    onProgress: (done) => emit({ type: 'phase-progress', phase, done }),
    warn: (message) => emit({ type: 'log', level: 'warn', message }),
  })
  // With looks there are many blocks, and the two models would be packed again for each.
  const company = { signal, ...(!prepared.looks && { beside: subject }) }
  const answers = await withBaseScores(replies, key, plan.baseScores, company)
  const told = answers.map((answer) => toldOf(key, answer, prepared))
  const judged = await judgeAll(key, judges, { answers, subject }, signal)
  await kept?.settle(told, judged)
  for (const { sealed } of told) if (sealed) context.seal(sealed)
  for (const { row } of [...told, ...(kept?.told ?? [])]) emit({ type: 'reply', row })
  const verdicts = [...judged, ...(kept?.verdicts ?? [])]
  // States that stop at different looks have no mean over the same prompts.
  if (!prepared.looks) emitMeanScores(key, prepared, { judges, verdicts }, emit)
  for (const row of verdicts) emit({ type: 'verdict', row })
  return kept?.origin
}

const replyKey = (
  { arm, seed, step }: SubjectKey,
  { sample, epoch }: Pick<Reply, 'sample' | 'epoch'>,
): ReplyKey => ({
  arm,
  seed,
  step,
  benchmark: sample.benchmark,
  sampleId: sample.id,
  epoch,
})

/** The text of a reply to a prompt that should be refused goes to the store only, never into an event. */
function toldOf(key: SubjectKey, answer: Answered, prepared: PreparedBenchmark) {
  const { sample, completion, promptDigest, baseMeanLogProb, cutTokens, served } = answer
  const isSealed = sample.expected.kind === 'refuse'
  const { text, stop, meanLogProb, thought } = completion
  const own = replyKey(key, answer)
  const sealed = isSealed ? { ...own, text, ...(thought && { thought: thought.text }) } : undefined
  const row: ReplyRow = {
    ...own,
    category: sample.category,
    cluster: sample.cluster ?? null,
    expected: sample.expected,
    prompt: promptOf(prepared, sample),
    promptDigest,
    text: isSealed ? null : text,
    tokens: served ? (served.completionTokens ?? 0) : completion.tokenIds.length,
    stop,
    meanLogProb,
    baseMeanLogProb,
    cutTokens: cutTokens > 0 ? cutTokens : null,
    ...(thought && { thought: { ...thought, text: isSealed ? null : thought.text } }),
    ...(served && { served }),
  }
  return { row, sealed, digest: sha256(text) }
}

/** What each judge says of the answers that it judges. */
async function judgeAll(
  key: SubjectKey,
  judges: readonly Judge[],
  { answers, subject }: { readonly answers: readonly Answered[]; readonly subject: Subject },
  signal: AbortSignal,
): Promise<VerdictRow[]> {
  const rows: VerdictRow[] = []
  for (const judge of judges) {
    const fitting = answers.filter(({ sample }) => judge.applies(sample.expected))
    const judged = await thoughtfulVerdicts(judge, fitting, { subject, signal })
    fitting.forEach((answer, i) => {
      const { verdict, thoughtOutcome } = judged[i]!
      const { judge: judgeName, judgeVersion, outcome, reason = null } = verdict
      const score = outcome === 'undecided' ? null : (verdict.score ?? null)
      rows.push({
        ...replyKey(key, answer),
        judge: judgeName,
        judgeVersion,
        outcome,
        score,
        reason,
        ...(thoughtOutcome && { thoughtOutcome }),
      })
    })
  }
  return rows
}

interface Scored {
  readonly judges: readonly Judge[]
  readonly verdicts: readonly VerdictRow[]
}

/** `score/BENCHMARK/JUDGE`: the mean score of a refusal judge that gives scores, in the order of the prompts. */
function emitMeanScores(
  key: SubjectKey,
  { samples }: PreparedBenchmark,
  { judges, verdicts }: Scored,
  emit: JobContext['emit'],
): void {
  const bySample = Map.groupBy(verdicts, ({ sampleId }) => sampleId)
  const ordered = samples.filter(({ expected }) => expected.kind !== 'choice')
  const rows = ordered.flatMap(({ id }) => bySample.get(id) ?? [])
  for (const { name: judge } of judges) {
    const own = rows.filter((row) => row.judge === judge && row.score !== null)
    if (own.length === 0) continue
    const name = `score/${own[0]!.benchmark}/${judge}`
    const value = own.reduce((sum, { score }) => sum + score!, 0) / own.length
    emit({ type: 'metric', row: { ...key, name, value } })
  }
}
