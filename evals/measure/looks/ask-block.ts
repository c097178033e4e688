/** @file Prompts of one benchmark asked of a model state in one go: its replies, what the base and every judge say of them, recorded. */
import type { ReplyKey, SubjectKey, Verdict } from '../../contract/rows.ts'
import type { JobContext } from '../../contract/job.ts'
import type { Subject } from '../../inference/subject.ts'
import type { Answer, Judge } from '../../judges/judge.ts'
import { findJudge } from '../../judges/registry.ts'
import { answersOf, type Reply } from '../answers.ts'
import { withBaseScores, type Answered, type BaseScores } from '../base-scores.ts'
import { promptOf, type PreparedBenchmark } from '../benchmark-sources.ts'
import { thoughtfulVerdicts } from '../thoughts.ts'

/** Of an evaluation's plan. */
export interface AskingPlan {
  /** Judges with a model of their own, which are not in the registry. */
  readonly judges?: readonly Judge[]
  /** Absent if only the base is measured. */
  readonly baseScores?: BaseScores
}

export interface Asking {
  readonly prepared: PreparedBenchmark
  readonly plan: AskingPlan
  readonly phase: string
}

export async function askBlock(
  subject: Subject,
  key: SubjectKey,
  { prepared, plan, phase }: Asking,
  context: JobContext,
): Promise<void> {
  const { emit, signal } = context
  const { benchmark } = prepared
  const replies = await answersOf(subject, prepared, {
    of: key,
    signal,
    onProgress: (done) => emit({ type: 'phase-progress', phase, done }),
    warn: (message) => emit({ type: 'log', level: 'warn', message }),
  })
  const answers = await withBaseScores(replies, key, plan.baseScores, signal)
  for (const answer of answers) record(key, answer, prepared, context)
  const named = benchmark.judges.map(
    (name) => plan.judges?.find((judge) => judge.name === name) ?? findJudge(name),
  )
  await judgeAll(key, named, { answers, subject, isPart: prepared.looks !== undefined }, context)
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
function record(
  key: SubjectKey,
  answer: Answered,
  prepared: PreparedBenchmark,
  { emit, seal }: JobContext,
): void {
  const { sample, completion, promptDigest, baseMeanLogProb, cutTokens, served } = answer
  const sealed = sample.expected.kind === 'refuse'
  const { thought } = completion
  if (sealed)
    seal({
      ...replyKey(key, answer),
      text: completion.text,
      ...(thought && { thought: thought.text }),
    })
  emit({
    type: 'reply',
    row: {
      ...replyKey(key, answer),
      category: sample.category,
      cluster: sample.cluster ?? null,
      expected: sample.expected,
      prompt: promptOf(prepared, sample),
      promptDigest,
      text: sealed ? null : completion.text,
      tokens: served ? (served.completionTokens ?? 0) : completion.tokenIds.length,
      stop: completion.stop,
      meanLogProb: completion.meanLogProb,
      baseMeanLogProb,
      cutTokens: cutTokens > 0 ? cutTokens : null,
      ...(thought && { thought: { ...thought, text: sealed ? null : thought.text } }),
      ...(served && { served }),
    },
  })
}

async function judgeAll(
  key: SubjectKey,
  judges: readonly Judge[],
  { answers, subject, isPart }: { answers: readonly Answered[]; subject: Subject; isPart: boolean },
  { emit, signal }: JobContext,
): Promise<void> {
  for (const judge of judges) {
    const fitting = answers.filter(({ sample }) => judge.applies(sample.expected))
    const judged = await thoughtfulVerdicts(judge, fitting, { subject, signal })
    const verdicts = judged.map(({ verdict }) => verdict)
    // States that stop at different looks have no mean over the same prompts.
    if (!isPart) emitMeanScores(key, fitting, verdicts, emit)
    fitting.forEach((answer, i) => {
      const { verdict, thoughtOutcome } = judged[i]!
      const { judge: judgeName, judgeVersion, outcome, reason = null } = verdict
      const score = outcome === 'undecided' ? null : (verdict.score ?? null)
      emit({
        type: 'verdict',
        row: {
          ...replyKey(key, answer),
          judge: judgeName,
          judgeVersion,
          outcome,
          score,
          reason,
          ...(thoughtOutcome && { thoughtOutcome }),
        },
      })
    })
  }
}

/** `score/BENCHMARK/JUDGE`: the mean score of a refusal judge that gives scores. */
function emitMeanScores(
  key: SubjectKey,
  answers: readonly Answer[],
  verdicts: readonly Verdict[],
  emit: JobContext['emit'],
): void {
  const scores = verdicts.flatMap((verdict, i) =>
    'score' in verdict &&
    verdict.score !== undefined &&
    answers[i]!.sample.expected.kind !== 'choice'
      ? [verdict.score]
      : [],
  )
  if (scores.length === 0) return
  const name = `score/${answers[0]!.sample.benchmark}/${verdicts[0]!.judge}`
  const value = scores.reduce((sum, score) => sum + score, 0) / scores.length
  emit({ type: 'metric', row: { ...key, name, value } })
}
