/** @file Evaluates one model state: replies to every prompt, verdicts of every judge, scores of neutral text; skips what is stored already. */
import { isBase, isSameState } from '../contract/keys.ts'
import type { FinishedEvaluation } from '../contract/audit-rows.ts'
import type { BenchmarkRow, SubjectKey } from '../contract/rows.ts'
import type { Origin } from '../contract/subjects/origin.ts'
import { benchmarkDigest } from '../benchmarks/bundled/load-bundled.ts'
import type { Continuation } from '../inference/continuation.ts'
import type { Subject } from '../inference/subject.ts'
import type { JobContext } from '../contract/job.ts'
import { repliesOf, type PreparedBenchmark } from './benchmark-sources.ts'
import { joined, lossOf } from './known/kept-base.ts'
import {
  checkedStart,
  copyMetrics,
  copyReplies,
  isCopied,
  measuredBase,
  type BaseRows,
  type KnownStart,
} from './known/start.ts'
import { askBlock, type Asking, type AskingPlan } from './looks/ask-block.ts'
import { scoreText, type PreparedText } from './perplexity.ts'
import { blocksOf } from './looks/looks.ts'
import type { NeutralText } from './sources.ts'

/** Name under which neutral text is recorded, and its metric in nats a token. */
const NEUTRAL = 'neutral-text'
const NEUTRAL_LOSS = 'neutral/loss'
/** The same for rows of the training data that were held out, of their replies alone. */
const HELD_OUT = 'held-out'
const HELD_OUT_LOSS = 'held-out/loss'

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
  /** Whether a state passes the gate, where the last that does is looked for by bisection; its replies are stored. */
  readonly isSafe?: (key: SubjectKey) => boolean
  /** What is stored of the base, for states that begin as it; absent where they are asked anew. */
  readonly base?: BaseRows
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
  /** How the names of all its metrics begin, where it says nothing else. */
  readonly metrics?: string
}

/** Replies to prompts; the base may score them. */
export const replying = (plan: EvaluationPlan, known?: KnownStart): Measurement[] =>
  plan.benchmarks.map((prepared) => ({
    name: prepared.benchmark.name,
    run: (subject, key, context) =>
      runBenchmark(
        subject,
        key,
        { prepared, plan, known: isCopied(prepared) ? known : undefined },
        context,
      ),
  }))

/** Existing texts, and measures of a task. */
export function scoring({
  neutral,
  heldOut = [],
  texts = [],
  measures = [],
  kept,
}: EvaluationPlan): Measurement[] {
  const all: Measurement[] = texts.map((text) => ({
    name: text.name,
    metrics: `perplexity/${text.name}/`,
    run: (subject, key, context) =>
      scoreText(subject, key, text, { ...context, phase: phaseOf(key, text.name) }),
  }))
  if (heldOut.length > 0)
    all.unshift({
      name: HELD_OUT,
      metrics: HELD_OUT_LOSS,
      run: (subject, key, context) => scoreHeldOut(subject, key, heldOut, context),
    })
  if (neutral.length > 0)
    all.unshift({
      name: NEUTRAL,
      metrics: NEUTRAL_LOSS,
      run: (subject, key, context) =>
        scoreNeutral(subject, key, { neutral, ...(kept && { kept }) }, context),
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

/** @param start what is stored of the base, for a state that answers as it does */
export async function evaluate(
  subject: Subject,
  key: SubjectKey,
  plan: EvaluationPlan,
  context: JobContext,
  start?: BaseRows,
): Promise<void> {
  const known =
    start && isLeft(plan, key)
      ? await checkedStart(subject, plan.benchmarks, start, context)
      : undefined
  const measure = async ({ name, run }: Measurement) => {
    if (isDue(plan, key, name)) await run(subject, key, context)
  }
  try {
    for (const each of replying(plan, known)) await measure(each)
  } finally {
    await plan.baseScores?.release()
    await plan.looking?.release()
  }
  for (const each of scoring(plan)) await measure(known ? copied(each, known) : each)
}

/** The base's numbers in place of a measurement, where it has them. */
function copied(measurement: Measurement, known: KnownStart): Measurement {
  const { name, metrics } = measurement
  const found = measuredBase(known, name)
  if (metrics === undefined || !found) return measurement
  const run: Measurement['run'] = (_, subject, { emit, flush }) => {
    copyMetrics(subject, metrics, known, { emit })
    const { samples } = found
    const { origin } = known
    emit({ type: 'evaluation-end', subject, benchmark: name, samples, origin })
    flush()
    return Promise.resolve()
  }
  return { name, run }
}

const phaseOf = ({ arm, seed, step }: SubjectKey, what: string) =>
  arm === 'base' ? `base: ${what}` : `${arm}, seed ${seed}, step ${step}: ${what}`

interface Evaluating {
  readonly prepared: PreparedBenchmark
  readonly plan: EvaluationPlan
  /** Of a state that answers as the base does. */
  readonly known?: KnownStart | undefined
}

async function runBenchmark(
  subject: Subject,
  key: SubjectKey,
  { plan, prepared, known }: Evaluating,
  context: JobContext,
): Promise<void> {
  const { emit } = context
  const phase = phaseOf(key, prepared.benchmark.title)
  emit({ type: 'phase-start', phase, total: repliesOf(prepared), unit: 'sample' })
  const { prompts, origin } = await askInBlocks(
    subject,
    key,
    { prepared, plan, phase, known },
    context,
  )
  emitEnd(key, prepared, prompts, context, origin)
  emit({ type: 'phase-end', phase })
  context.flush()
}

interface Blocks {
  /** How many were asked. */
  readonly prompts: number
  readonly origin: Origin | undefined
}

/** Block after block up to the look at which the state may stop, the base no further than the first. */
async function askInBlocks(
  subject: Subject,
  key: SubjectKey,
  asking: Asking & Evaluating,
  context: JobContext,
): Promise<Blocks> {
  const { prepared, plan, known } = asking
  const { looking } = plan
  const { looks } = prepared
  let origin = known?.origin
  const ask = async (samples: PreparedBenchmark['samples']) => {
    const block = { ...prepared, samples }
    if (known) copyReplies(key, block, known, context)
    else
      origin = joined(origin, await askBlock(subject, key, { ...asking, prepared: block }, context))
  }
  if (!looks || !looking) {
    await ask(prepared.samples)
    return { prompts: prepared.samples.length, origin }
  }
  for (const [at, samples] of blocksOf(prepared, looks).entries()) {
    const { prompts } = looks.seen[at]!
    if (!isBase(key)) await looking.askBase(prepared, prompts)
    await ask(samples)
    context.flush()
    if (isBase(key) || looking.mayStop(key, prepared, at)) return { prompts, origin }
  }
  return { prompts: prepared.samples.length, origin }
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
    earlier,
  }: Omit<Asking, 'phase'> & {
    readonly from: number
    readonly to: number
    /** Of the prompts before these. */
    readonly earlier?: Origin | undefined
  },
  context: JobContext,
): Promise<void> {
  const samples = blocksOf(prepared, prepared.looks!).flat().slice(from, to)
  const phase = phaseOf(key, `${prepared.benchmark.title}, further prompts`)
  context.emit({ type: 'phase-start', phase, total: samples.length, unit: 'sample' })
  const block = { ...prepared, samples }
  const origin = await askBlock(subject, key, { prepared: block, plan, phase }, context)
  emitEnd(key, prepared, to, context, joined(earlier, origin))
  context.emit({ type: 'phase-end', phase })
  context.flush()
}

const emitEnd = (
  subject: SubjectKey,
  { benchmark, context: put }: PreparedBenchmark,
  samples: number,
  { emit }: JobContext,
  origin?: Origin,
): void =>
  emit({
    type: 'evaluation-end',
    subject,
    benchmark: benchmark.name,
    samples,
    ...(put && { context: put.digest }),
    ...(origin && { origin }),
  })

async function scoreNeutral(
  subject: Subject,
  key: SubjectKey,
  { neutral: texts, kept }: Pick<EvaluationPlan, 'neutral' | 'kept'>,
  context: JobContext,
): Promise<void> {
  const score = (some: readonly NeutralText[]) => subject.logProbs(some, context.signal)
  const lossed = async () =>
    kept && isBase(key)
      ? kept.loss({ name: NEUTRAL, texts, score })
      : { mean: lossOf(await score(texts)).mean }
  await scoreLoss(lossed, key, { name: NEUTRAL, metric: NEUTRAL_LOSS, of: texts }, context)
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
    return lossOf(scores.map(({ logProbs }) => logProbs))
  }
  await scoreLoss(score, key, { name: HELD_OUT, metric: HELD_OUT_LOSS, of: rows }, context)
}

/** Mean over all scored tokens, nats per token. */
async function scoreLoss(
  score: () => Promise<{ readonly mean: number; readonly origin?: Origin }>,
  key: SubjectKey,
  { name, metric, of }: { name: string; metric: string; of: readonly unknown[] },
  { emit, flush }: JobContext,
): Promise<void> {
  const phase = phaseOf(key, name.replace('-', ' '))
  emit({ type: 'phase-start', phase, total: of.length, unit: 'sample' })
  const { mean, origin } = await score()
  emit({ type: 'metric', row: { ...key, name: metric, value: mean } })
  const end = { subject: key, benchmark: name, samples: of.length, ...(origin && { origin }) }
  emit({ type: 'evaluation-end', ...end })
  emit({ type: 'phase-end', phase })
  flush()
}
