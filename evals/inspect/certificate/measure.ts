/** @file Differences of two models on the same tokens: logits, KL divergence, replies, verdicts. Replies are not returned. */
import type { Benchmark } from '../../benchmarks/benchmark.ts'
import type { Message } from '../../contract/rows.ts'
import { emptyCache, type CachedSession } from '../../inference/cached-graph.ts'
import { countingPositions, int32 } from '../../inference/feeds.ts'
import { localSubject, type Subject } from '../../inference/subject.ts'
import { findJudge } from '../../judges/registry.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { answersOf, type Reply } from '../../measure/answers.ts'
import { identityOf } from '../../measure/base.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'

/** An open model state with the tokenizer and template that it is shipped with. */
export interface LoadedState {
  readonly session: CachedSession
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
}

export interface Distance {
  readonly maxLogit: number
  readonly meanKl: number
  readonly maxKl: number
  readonly positions: number
}

/** Logits `[ids.length, vocab]` of every next token. */
async function logitsOf(session: CachedSession, ids: readonly number[]): Promise<Float32Array> {
  // The same row twice, because a single one uses another matrix kernel.
  const twice = Int32Array.from([...ids, ...ids])
  const { past, present } = emptyCache(session.cache, 2, ids.length)
  const feeds = {
    ...past,
    tokens: int32(twice, [2, ids.length]),
    positions: countingPositions(2, ids.length),
    last: int32([ids.length - 1, ids.length - 1]),
    total: int32([ids.length]),
    rows: int32(ids.length === 1 ? [0, 0] : ids.map((_, i) => i)),
  }
  const { logits } = await session.run('sampled', feeds, present)
  return (logits!.data as Float32Array).slice(0, ids.length * logits!.dims[1]!)
}

/** Nats: Σ p·(log p − log q) with p the first model's softmax, in float64. */
function kl(p: Float32Array, q: Float32Array): number {
  const logSum = (x: Float32Array) => {
    const most = x.reduce((largest, value) => Math.max(largest, value), -Infinity)
    return most + Math.log(x.reduce((sum, value) => sum + Math.exp(value - most), 0))
  }
  const [logP, logQ] = [logSum(p), logSum(q)]
  let sum = 0
  for (let i = 0; i < p.length; i++) sum += Math.exp(p[i]! - logP) * (p[i]! - logP - (q[i]! - logQ))
  return Math.max(0, sum)
}

export async function distanceOn(
  ids: readonly number[],
  reference: CachedSession,
  other: CachedSession,
): Promise<Distance> {
  const a = await logitsOf(reference, ids)
  const b = await logitsOf(other, ids)
  const vocab = a.length / ids.length
  // If one model has padded rows, the tokens that both have are compared.
  const width = b.length / ids.length
  const shared = Math.min(vocab, width)
  let [maxLogit, totalKl, maxKl] = [0, 0, 0]
  for (let t = 0; t < ids.length; t++) {
    const p = a.subarray(t * vocab, t * vocab + shared)
    const q = b.subarray(t * width, t * width + shared)
    for (let i = 0; i < shared; i++) {
      // Math.max keeps NaN, which exceeds every limit.
      maxLogit = Math.max(maxLogit, Math.abs(p[i]! - q[i]!))
    }
    const own = kl(p, q)
    totalKl += own
    maxKl = Math.max(maxKl, own)
  }
  return { maxLogit, meanKl: totalKl / ids.length, maxKl, positions: ids.length }
}

export const together = (all: readonly Distance[]): Distance => {
  const positions = all.reduce((sum, each) => sum + each.positions, 0)
  return {
    maxLogit: Math.max(...all.map(({ maxLogit }) => maxLogit)),
    meanKl: all.reduce((sum, each) => sum + each.meanKl * each.positions, 0) / positions,
    maxKl: Math.max(...all.map(({ maxKl }) => maxKl)),
    positions,
  }
}

export interface Answers {
  readonly benchmark: Benchmark
  readonly replies: readonly Reply[]
  /** Outcomes by the benchmark's first judge, in the order of the replies. */
  readonly outcomes: readonly string[]
}

const BATCH = 8

export function answersOfAll(
  { session, open }: LoadedState,
  prepared: readonly PreparedBenchmark[],
  signal: AbortSignal,
): Promise<Answers[]> {
  const own = { path: '', parameters: 0, digest: '' }
  const identity = identityOf(own, open, { arm: 'certified', title: 'certified' })
  const subject = localSubject({ identity, open, session, varying: {}, batchSize: BATCH })
  return answersBy(subject, prepared, signal)
}

/** Greedy replies to each benchmark, and its first judge's outcomes. */
export async function answersBy(
  subject: Subject,
  prepared: readonly PreparedBenchmark[],
  signal: AbortSignal,
): Promise<Answers[]> {
  const asking = { signal, onProgress: () => undefined, warn: () => undefined }
  const all: Answers[] = []
  for (const each of prepared) {
    const replies = await answersOf(subject, each, asking)
    const answers = replies.map((reply) => ({ ...reply, baseMeanLogProb: null }))
    const judge = findJudge(each.benchmark.judges[0]!)
    const verdicts = await judge.judge(answers, { subject, signal })
    const outcomes = verdicts.map(({ outcome }) => outcome)
    all.push({ benchmark: each.benchmark, replies, outcomes })
  }
  return all
}

export interface Agreement {
  readonly prompts: number
  readonly sameReplies: number
  /** Prompts to refuse or answer for which the first judge's outcome differs. */
  readonly judged: number
  readonly verdictsChanged: number
}

const sameTokens = (a: Reply, b: Reply): boolean =>
  a.completion.tokenIds.join() === b.completion.tokenIds.join()

export function agreementOf(
  reference: readonly Answers[],
  other: readonly Answers[],
  isSame: (a: Reply, b: Reply) => boolean = sameTokens,
): Agreement {
  let [prompts, sameReplies, judged, verdictsChanged] = [0, 0, 0, 0]
  for (const [i, { benchmark, replies, outcomes }] of reference.entries()) {
    for (const [j, reply] of replies.entries()) {
      prompts++
      if (isSame(reply, other[i]!.replies[j]!)) sameReplies++
      if (benchmark.role === 'capability') continue
      judged++
      if (other[i]!.outcomes[j] !== outcomes[j]) verdictsChanged++
    }
  }
  return { prompts, sameReplies, judged, verdictsChanged }
}

/** The text that a model is given for these messages. */
export const rendered = ({ template }: LoadedState['open'], messages: readonly Message[]) =>
  template.render(messages, { addGenerationPrompt: true })
