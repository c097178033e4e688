/** @file Evaluates one model state: replies to every prompt, verdicts of every judge, scores of neutral text; skips what is stored already. */
import { isBase, isSameState } from '../contract/keys.ts'
import type { FinishedEvaluation } from '../contract/audit-rows.ts'
import type { BenchmarkRow, SubjectKey } from '../contract/rows.ts'
import { benchmarkDigest } from '../benchmarks/bundled/load-bundled.ts'
import type { Continuation } from '../inference/continuation.ts'
import type { Subject } from '../inference/subject.ts'
import type { JobContext } from '../contract/job.ts'
import { repliesOf, type PreparedBenchmark } from './benchmark-sources.ts'
import { askBlock, type Asking, type AskingPlan } from './looks/ask-block.ts'
import { scoreText, type PreparedText } from './perplexity.ts'
import { blocksOf } from './looks/looks.ts'
import type { NeutralText } from './sources.ts'

/** Name under which neutral text is recorded; `neutral/loss` is in nats a token. */
const NEUTRAL = 'neutral-text'
/** The same for rows of the training data that were held out; `held-out/loss` is of their replies alone. */
const HELD_OUT = 'held-out'

export interface EvaluationPlan extends AskingPlan {
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
  /** What benchmarks with looks need; absent where every prompt is asked at once. */
  readonly looking?: Looking
}

export interface Looking {
  /** Has the base asked of so many prompts of a benchmark. */
  askBase(prepared: PreparedBenchmark, prompts: number): Promise<void>
  /** Closes what that opened. */
  release(): Promise<void>
  /** Whether a state may stop at look `at` of a benchmark; its replies are stored. */
  mayStop(key: SubjectKey, prepared: PreparedBenchmark, at: number): boolean
}

export const benchmarkRow = ({
  benchmark,
  samples,
  decoding,
  context,
  looks,
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
  ...(looks && { looks }),
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
    await plan.looking?.release()
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
  const { emit } = context
  const phase = phaseOf(key, prepared.benchmark.title)
  emit({ type: 'phase-start', phase, total: repliesOf(prepared), unit: 'sample' })
  const asked = await askInBlocks(subject, key, { prepared, plan, phase }, context)
  emitEnd(key, prepared, asked, context)
  emit({ type: 'phase-end', phase })
  context.flush()
}

/** Block after block up to the look at which the state may stop, the base no further than the first; gives how many were asked. */
async function askInBlocks(
  subject: Subject,
  key: SubjectKey,
  asking: Asking & { readonly plan: EvaluationPlan },
  context: JobContext,
): Promise<number> {
  const { prepared, plan } = asking
  const { looking } = plan
  const { looks } = prepared
  if (!looks || !looking) {
    await askBlock(subject, key, asking, context)
    return prepared.samples.length
  }
  for (const [at, samples] of blocksOf(prepared, looks).entries()) {
    const { prompts } = looks.seen[at]!
    if (!isBase(key)) await looking.askBase(prepared, prompts)
    await askBlock(subject, key, { ...asking, prepared: { ...prepared, samples } }, context)
    context.flush()
    if (isBase(key) || looking.mayStop(key, prepared, at)) return prompts
  }
  return prepared.samples.length
}

/** Asks a state that stopped earlier on, from so many prompts of a benchmark in its order to so many. */
export async function askOn(
  subject: Subject,
  key: SubjectKey,
  {
    prepared,
    plan,
    from,
    to,
  }: Omit<Asking, 'phase'> & { readonly from: number; readonly to: number },
  context: JobContext,
): Promise<void> {
  const samples = blocksOf(prepared, prepared.looks!).flat().slice(from, to)
  const phase = phaseOf(key, `${prepared.benchmark.title}, further prompts`)
  context.emit({ type: 'phase-start', phase, total: samples.length, unit: 'sample' })
  await askBlock(subject, key, { prepared: { ...prepared, samples }, plan, phase }, context)
  emitEnd(key, prepared, to, context)
  context.emit({ type: 'phase-end', phase })
  context.flush()
}

const emitEnd = (
  subject: SubjectKey,
  { benchmark, context: put }: PreparedBenchmark,
  samples: number,
  { emit }: JobContext,
): void =>
  emit({
    type: 'evaluation-end',
    subject,
    benchmark: benchmark.name,
    samples,
    ...(put && { context: put.digest }),
  })

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
