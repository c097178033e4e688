/** @file Evaluates one model state: replies to every prompt, verdicts of every judge, scores of neutral text; skips what is stored already. */
import { isSameState } from '../contract/keys.ts'
import type { FinishedEvaluation } from '../contract/audit-rows.ts'
import type { BenchmarkRow, ReplyKey, SubjectKey, Verdict } from '../contract/rows.ts'
import { benchmarkDigest } from '../benchmarks/bundled/load-bundled.ts'
import type { Continuation } from '../inference/continuation.ts'
import type { Subject } from '../inference/subject.ts'
import type { JobContext } from '../contract/job.ts'
import type { Answer, Judge } from '../judges/judge.ts'
import { findJudge } from '../judges/registry.ts'
import { answersOf, type Reply } from './answers.ts'
import { withBaseScores, type Answered, type BaseScores } from './base-scores.ts'
import { repliesOf, type PreparedBenchmark } from './benchmark-sources.ts'
import { scoreText, type PreparedText } from './perplexity.ts'
import type { NeutralText } from './sources.ts'
import { thoughtfulVerdicts } from './thoughts.ts'

/** Name under which neutral text is recorded; `neutral/loss` is in nats a token. */
const NEUTRAL = 'neutral-text'
/** The same for rows of the training data that were held out; `held-out/loss` is of their replies alone. */
const HELD_OUT = 'held-out'

export interface EvaluationPlan {
  readonly benchmarks: readonly PreparedBenchmark[]
  /** Benchmarks in contexts in which the model cannot be asked; recorded, and not measured. */
  readonly unasked?: readonly PreparedBenchmark[]
  readonly neutral: readonly NeutralText[]
  /** The user’s texts, for perplexity. */
  readonly texts?: readonly PreparedText[]
  /** What else is measured of each state. */
  readonly measures?: readonly Measurement[]
  /** Held-out replies of the training data. */
  readonly heldOut?: readonly Continuation[]
  /** Steps at which benchmarks are evaluated; at other steps only texts are scored. All steps by default. */
  readonly benchmarksAt?: readonly number[]
  readonly finished: readonly FinishedEvaluation[]
  /** Judges with a model of their own, which are not in the registry. */
  readonly judges?: readonly Judge[]
  /** Absent if only the base is measured. */
  readonly baseScores?: BaseScores
}

export const benchmarkRow = ({
  benchmark,
  samples,
  decoding,
  context,
  source,
}: PreparedBenchmark): BenchmarkRow => ({
  name: benchmark.name,
  title: benchmark.title,
  role: benchmark.role,
  samples: samples.length,
  digest: benchmarkDigest(samples),
  judges: [...benchmark.judges],
  maxNewTokens: benchmark.maxNewTokens,
  ...((decoding.temperature > 0 || decoding.maxThinkingTokens) && { decoding }),
  ...(context && { context }),
  ...(benchmark.gain !== undefined && { gain: benchmark.gain }),
  ...(source && source.licences.length > 0 && { licences: [...source.licences] }),
})

/** Whether a state is not measured on a benchmark or text yet. */
export function isDue(
  { benchmarks, benchmarksAt, finished }: EvaluationPlan,
  { arm, seed, step }: SubjectKey,
  name: string,
): boolean {
  const prepared = benchmarks.find(({ benchmark }) => benchmark.name === name)
  if (prepared && benchmarksAt && !benchmarksAt.includes(step)) return false
  const context = prepared?.context?.digest ?? null
  return !finished
    .filter(isSameState({ arm, seed, step }))
    .some((row) => row.benchmark === name && (row.context ?? null) === context)
}

/** One part of an evaluation, recorded under its name when it is complete. */
export interface Measurement {
  readonly name: string
  readonly run: (subject: Subject, key: SubjectKey, context: JobContext) => Promise<void>
}

/** Replies to prompts; the base may score them. */
export const replying = (plan: EvaluationPlan): Measurement[] =>
  plan.benchmarks.map((prepared) => ({
    name: prepared.benchmark.name,
    run: (subject, key, context) => runBenchmark(subject, key, { ...prepared, plan }, context),
  }))

/** Existing texts, and measures of a task. */
export function scoring({
  neutral,
  heldOut = [],
  texts = [],
  measures = [],
}: EvaluationPlan): Measurement[] {
  const all: Measurement[] = texts.map((text) => ({
    name: text.name,
    run: (subject, key, context) =>
      scoreText(subject, key, text, { ...context, phase: phaseOf(key, text.name) }),
  }))
  if (heldOut.length > 0)
    all.unshift({
      name: HELD_OUT,
      run: (subject, key, context) => scoreHeldOut(subject, key, heldOut, context),
    })
  if (neutral.length > 0)
    all.unshift({
      name: NEUTRAL,
      run: (subject, key, context) => scoreNeutral(subject, key, neutral, context),
    })
  return [...all, ...measures]
}

const measurementsOf = (plan: EvaluationPlan): Measurement[] => [
  ...replying(plan),
  ...scoring(plan),
]

/** Whether any part of the plan is not measured for a state yet. */
export const isLeft = (plan: EvaluationPlan, key: SubjectKey): boolean =>
  measurementsOf(plan).some(({ name }) => isDue(plan, key, name))

export async function evaluate(
  subject: Subject,
  key: SubjectKey,
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const measure = async ({ name, run }: Measurement) => {
    if (isDue(plan, key, name)) await run(subject, key, context)
  }
  try {
    for (const each of replying(plan)) await measure(each)
  } finally {
    await plan.baseScores?.release()
  }
  for (const each of scoring(plan)) await measure(each)
}

const phaseOf = ({ arm, seed, step }: SubjectKey, what: string) =>
  arm === 'base' ? `base: ${what}` : `${arm}, seed ${seed}, step ${step}: ${what}`

async function runBenchmark(
  subject: Subject,
  key: SubjectKey,
  { plan, ...prepared }: PreparedBenchmark & { plan: EvaluationPlan },
  context: JobContext,
): Promise<void> {
  const { emit, signal } = context
  const { benchmark, samples } = prepared
  const phase = phaseOf(key, benchmark.title)
  emit({ type: 'phase-start', phase, total: repliesOf(prepared), unit: 'sample' })
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
  await judgeAll(key, named, { answers, subject }, context)
  emit({
    type: 'evaluation-end',
    subject: key,
    benchmark: benchmark.name,
    samples: samples.length,
    ...(prepared.context && { context: prepared.context.digest }),
  })
  emit({ type: 'phase-end', phase })
  context.flush()
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
  { context }: PreparedBenchmark,
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
      prompt: context
        ? lastOfUser(sample)
        : sample.messages.map(({ content }) => content).join('\n'),
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

/** In a context the prompt is what differs from sample to sample. */
const lastOfUser = ({ messages }: Reply['sample']): string =>
  messages.findLast(({ role }) => role === 'user')?.content ?? ''

async function judgeAll(
  key: SubjectKey,
  judges: readonly Judge[],
  { answers, subject }: { answers: readonly Answered[]; subject: Subject },
  { emit, signal }: JobContext,
): Promise<void> {
  for (const judge of judges) {
    const fitting = answers.filter(({ sample }) => judge.applies(sample.expected))
    const judged = await thoughtfulVerdicts(judge, fitting, { subject, signal })
    emitMeanScores(
      key,
      fitting,
      judged.map(({ verdict }) => verdict),
      emit,
    )
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

async function scoreNeutral(
  subject: Subject,
  key: SubjectKey,
  texts: readonly NeutralText[],
  context: JobContext,
): Promise<void> {
  const score = () => subject.logProbs(texts, context.signal)
  await scoreLoss(score, key, { name: NEUTRAL, metric: 'neutral/loss', of: texts }, context)
}

async function scoreHeldOut(
  subject: Subject,
  key: SubjectKey,
  rows: readonly Continuation[],
  context: JobContext,
): Promise<void> {
  const score = async () => {
    const scores = await subject.continuations(rows, context.signal)
    const cut = scores.filter((each) => each.cut > 0).length
    if (cut > 0) {
      const message = `${cut} of ${rows.length} held-out rows are too long and were cut at their beginning.`
      context.emit({ type: 'log', level: 'warn', message })
    }
    return scores.map(({ logProbs }) => logProbs)
  }
  await scoreLoss(score, key, { name: HELD_OUT, metric: 'held-out/loss', of: rows }, context)
}

/** Mean over all scored tokens, nats per token. */
async function scoreLoss(
  score: () => Promise<readonly Float32Array[]>,
  key: SubjectKey,
  { name, metric, of }: { name: string; metric: string; of: readonly unknown[] },
  { emit, flush }: JobContext,
): Promise<void> {
  const phase = phaseOf(key, name.replace('-', ' '))
  emit({ type: 'phase-start', phase, total: of.length, unit: 'sample' })
  let sum = 0
  let tokens = 0
  for (const text of await score()) {
    tokens += text.length
    for (const logProb of text) sum += logProb
  }
  emit({ type: 'metric', row: { ...key, name: metric, value: -sum / tokens } })
  emit({ type: 'evaluation-end', subject: key, benchmark: name, samples: of.length })
  emit({ type: 'phase-end', phase })
  flush()
}
