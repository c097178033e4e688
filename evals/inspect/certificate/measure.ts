/** @file Differences of two models on the same tokens: logits, KL divergence, replies, verdicts. Replies are not returned. */
import type { Benchmark } from '../../benchmarks/benchmark.ts'
import type { Message } from '../../contract/rows.ts'
import { emptyCache, freeCache, type CachedSession } from '../../inference/cached-graph.ts'
import { countingPositions, int32 } from '../../inference/feeds.ts'
import type { ScoredText } from '../../inference/score.ts'
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

/** Of what two models say of the next token, over the tokens of the replies. */
export interface Distance {
  /** Of any logit at any position. One of millions: printed, and a limit only where it is asked for. */
  readonly maxLogit: number
  /** Largest of any token: the root mean square over all positions of its logit's difference, less that of the position's mean logit. */
  readonly tokenLogit: number
  readonly meanKl: number
  /** The 99th of 100. */
  readonly tailKl: number
  readonly maxKl: number
  /** Share of positions with the same most likely token. */
  readonly sameTop: number
  readonly positions: number
}

/** The same, of one text, before it is summed up. */
export interface TextDistance {
  readonly maxLogit: number
  /** By token: sum of squares over the positions. */
  readonly squares: Float64Array
  /** Nats, by position. */
  readonly kl: readonly number[]
  readonly sameTop: number
}

/** Positions whose next token is the reply's: what stands before it is the same in every prompt, or nobody's words. */
const firstOf = ({ from }: ScoredText): number => Math.max(0, from - 1)
const positionsOf = (text: ScoredText): number => Math.max(1, text.ids.length - 1 - firstOf(text))

/** Logits of the next tokens of two texts, because a single row uses another matrix kernel; `[positions, vocab]` of each. */
async function logitsOf(
  session: CachedSession,
  texts: readonly [ScoredText, ScoredText],
): Promise<readonly [Float32Array, Float32Array]> {
  const longest = Math.max(...texts.map(({ ids }) => ids.length))
  const tokens = new Int32Array(2 * longest)
  texts.forEach(({ ids }, b) => tokens.set(ids, b * longest))
  const { past, present } = emptyCache(session.cache, 2, longest)
  const rows = texts.flatMap((text, b) =>
    Array.from({ length: positionsOf(text) }, (_, i) => b * longest + firstOf(text) + i),
  )
  const feeds = {
    ...past,
    tokens: int32(tokens, [2, longest]),
    positions: countingPositions(2, longest),
    last: int32(texts.map(({ ids }) => ids.length - 1)),
    total: int32([longest]),
    rows: int32(rows),
  }
  const { logits } = await session.run('sampled', feeds, present)
  freeCache(past)
  const vocab = logits!.dims[1]!
  const data = (logits!.data as Float32Array).slice(0, rows.length * vocab)
  const cut = positionsOf(texts[0]) * vocab
  return [data.subarray(0, cut), data.subarray(cut)]
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

/** Of each text, two at a time. */
export async function distancesOn(
  texts: readonly ScoredText[],
  reference: CachedSession,
  other: CachedSession,
): Promise<TextDistance[]> {
  const order = texts
    .map((_, i) => i)
    .sort((i, j) => texts[i]!.ids.length - texts[j]!.ids.length || i - j)
  const all = new Array<TextDistance>(texts.length)
  for (let at = 0; at < order.length; at += 2) {
    const [one, two = one] = order.slice(at, at + 2) as [number, number?]
    const pair = [texts[one]!, texts[two]!] as const
    const [ours, theirs] = [await logitsOf(reference, pair), await logitsOf(other, pair)]
    for (const [i, which] of [one, two].entries())
      all[which] = distanceOf(positionsOf(pair[i]!), ours[i]!, theirs[i]!)
  }
  return all
}

function distanceOf(positions: number, a: Float32Array, b: Float32Array): TextDistance {
  const vocab = a.length / positions
  // If one model has padded rows, the tokens that both have are compared.
  const width = b.length / positions
  const shared = Math.min(vocab, width)
  const squares = new Float64Array(shared)
  const divergences: number[] = []
  let [maxLogit, sameTop] = [0, 0]
  for (let t = 0; t < positions; t++) {
    const p = a.subarray(t * vocab, t * vocab + shared)
    const q = b.subarray(t * width, t * width + shared)
    // Math.max keeps NaN, which exceeds every limit.
    maxLogit = Math.max(maxLogit, addSquares(p, q, squares))
    if (topOf(p) === topOf(q)) sameTop++
    divergences.push(kl(p, q))
  }
  return { maxLogit, squares, kl: divergences, sameTop }
}

/** Adds each token's squared difference, less the mean one, which no probability depends on; gives the largest difference. */
function addSquares(p: Float32Array, q: Float32Array, squares: Float64Array): number {
  let [most, sum] = [0, 0]
  for (let i = 0; i < p.length; i++) {
    const off = q[i]! - p[i]!
    most = Math.max(most, Math.abs(off))
    sum += off
  }
  const mean = sum / p.length
  for (let i = 0; i < p.length; i++) squares[i]! += (q[i]! - p[i]! - mean) ** 2
  return most
}

function topOf(logits: Float32Array): number {
  let top = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[top]!) top = i
  return top
}

const TAIL = 0.99

export function together(all: readonly TextDistance[]): Distance {
  const divergences = all.flatMap((each) => each.kl)
  const positions = divergences.length
  const total = divergences.reduce((sum, each) => sum + each, 0)
  const isNumber = Number.isFinite(total)
  const sorted = Float64Array.from(divergences).sort()
  const squares = all.reduce(
    (sums, each) => sums.map((sum, i) => sum + each.squares[i]!),
    new Float64Array(all[0]?.squares.length ?? 0),
  )
  return {
    maxLogit: Math.max(...all.map(({ maxLogit }) => maxLogit)),
    tokenLogit: Math.sqrt(squares.reduce((a, b) => Math.max(a, b), 0) / positions),
    meanKl: total / positions,
    tailKl: isNumber ? sorted[Math.min(positions - 1, Math.floor(TAIL * positions))]! : NaN,
    maxKl: divergences.reduce((a, b) => Math.max(a, b), 0),
    sameTop: all.reduce((sum, each) => sum + each.sameTop, 0) / positions,
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
