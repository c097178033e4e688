/** @file A model state's answers to a benchmark's prompts: generated replies, or the log-probability of each option. */
import { sha256 } from '../files/digest.ts'
import type { Completion, Sample, SubjectKey } from '../contract/rows.ts'
import { keyOf } from '../contract/keys.ts'
import type { ServedWord } from '../contract/subjects/served.ts'
import { logSoftmax } from '../inference/class-subject.ts'
import type { ContinuationScore } from '../inference/continuation.ts'
import type { ScoredText } from '../inference/score.ts'
import type { Subject } from '../inference/subject.ts'
import type { Answer } from '../judges/judge.ts'
import { askOf } from './ask.ts'
import { hasOptions, hasValues, type PreparedBenchmark } from './benchmark-sources.ts'

/** An answer without the base's score. */
export interface Reply extends Omit<Answer, 'baseMeanLogProb'> {
  /** Counts the replies to one prompt, from 0. */
  readonly epoch: number
  /** Tokens at the prompt's beginning that the model was not given. */
  readonly cutTokens: number
  /** 16 hexadecimal digits of the sha256 over the tokens that the model was given. */
  readonly promptDigest: string
  /** Prompt and reply as tokens, of which the reply's are scored; absent for options. */
  readonly written?: ScoredText
  /** What the server says of it; absent where the model runs here. */
  readonly served?: ServedWord
}

interface AnswerOptions {
  /** The model state that answers, so that two states draw independently; the base if absent. */
  readonly of?: SubjectKey
  readonly signal: AbortSignal
  readonly onProgress: (done: number) => void
  readonly warn: (message: string) => void
}

const BASE: SubjectKey = { arm: 'base', seed: 0, step: 0 }

const digestOf = (ids: readonly number[]) => sha256(Int32Array.from(ids)).slice(0, 16)

/** The part of a subject that is used here. */
export type Answering = Pick<Subject, 'generate' | 'continuations' | 'outputs'>

/** In the samples' order, all replies to one prompt after each other. */
export function answersOf(
  subject: Answering,
  prepared: PreparedBenchmark,
  asking: AnswerOptions,
): Promise<Reply[]> {
  if (prepared.read) return readOut(subject, prepared.samples, prepared.read, asking)
  if (hasValues(prepared.samples)) return computed(subject, prepared, asking)
  return hasOptions(prepared.samples)
    ? scored(subject, prepared, asking)
    : written(subject, prepared, asking)
}

/** Digits of a number in a reply's text; verdicts rest on the numbers themselves. */
const SHOWN_DIGITS = 4

/** Numbers that a network gives for each prompt. */
async function computed(
  subject: Answering,
  { samples }: PreparedBenchmark,
  { signal, onProgress }: AnswerOptions,
): Promise<Reply[]> {
  if (!subject.outputs) throw new Error('internal: numbers asked of a model that writes')
  const answers: Reply[] = []
  for (let start = 0; start < samples.length; start += CHUNK) {
    const chunk = samples.slice(start, start + CHUNK)
    const texts = chunk.map(textOf)
    const outputs = await subject.outputs('classes', texts, signal)
    for (const [i, sample] of chunk.entries()) {
      const values = [...outputs[i]!]
      const text = values.map((value) => value.toPrecision(SHOWN_DIGITS)).join(' ')
      const completion: Completion = { text, tokenIds: [], stop: 'end', meanLogProb: 0 }
      const promptDigest = sha256(texts[i]!).slice(0, 16)
      answers.push({ sample, epoch: 0, completion, values, promptDigest, cutTokens: 0 })
    }
    onProgress(answers.length)
  }
  return answers
}

const textOf = ({ messages }: Sample) => messages.map(({ content }) => content).join('\n')

/** Options scored by what is read from the network. */
async function readOut(
  subject: Answering,
  samples: readonly Sample[],
  read: NonNullable<PreparedBenchmark['read']>,
  { signal, onProgress }: AnswerOptions,
): Promise<Reply[]> {
  const texts = samples.map(textOf)
  const scores = await read(askOf(subject, signal), texts)
  onProgress(samples.length)
  return samples.map((sample, i) => {
    const logProbs = logSoftmax(scores[i]!)
    const best = logProbs.indexOf(Math.max(...logProbs))
    const text = optionsOf(sample)[best] ?? ''
    const completion: Completion = { text, tokenIds: [], stop: 'end', meanLogProb: logProbs[best]! }
    const promptDigest = sha256(texts[i]!).slice(0, 16)
    const optionLogProbs = [...logProbs]
    return { sample, epoch: 0, completion, optionLogProbs, promptDigest, cutTokens: 0 }
  })
}

async function written(
  subject: Answering,
  { benchmark, samples, decoding: { samples: count, ...drawing } }: PreparedBenchmark,
  { of = BASE, signal, onProgress }: AnswerOptions,
): Promise<Reply[]> {
  const asked = samples.flatMap((sample) =>
    Array.from({ length: count }, (_, epoch) => ({ sample, epoch })),
  )
  const answers = new Array<Reply>(asked.length)
  const prompts = asked.map(({ sample, epoch }) => ({
    key: sample.id,
    stream: streamOf(of, sample.id, epoch),
    messages: sample.messages,
  }))
  const decoding = { maxNewTokens: benchmark.maxNewTokens, ...drawing }
  let done = 0
  for await (const reply of subject.generate(prompts, decoding, signal)) {
    const { index, completion, promptIds, writtenIds, served } = reply
    const { promptDigest = digestOf(promptIds) } = reply
    const { sample, epoch } = asked[index]!
    const written = { key: sample.id, ids: [...promptIds, ...writtenIds], from: promptIds.length }
    const own = { sample, epoch, completion, promptDigest, written, cutTokens: 0 }
    answers[index] = { ...own, ...(served && { served }) }
    if (++done % 16 === 0) onProgress(done)
  }
  return answers
}

/** The random stream of one reply; every reply has its own, so that samples are independent. */
const streamOf = ({ arm, seed, step }: SubjectKey, id: string, epoch: number) =>
  keyOf(arm, seed, step, id, epoch)

/** Prompts scored between two reports of progress. */
const CHUNK = 64

/** Plain text, as lm-evaluation-harness scores it: " " and the option after the question, no chat template. */
async function scored(
  subject: Answering,
  { samples, benchmark }: PreparedBenchmark,
  { signal, onProgress, warn }: AnswerOptions,
): Promise<Reply[]> {
  const answers: Reply[] = []
  for (let start = 0; start < samples.length; start += CHUNK) {
    const chunk = samples.slice(start, start + CHUNK)
    const items = chunk.flatMap(optionItems)
    const scores = await subject.continuations(items, signal)
    let next = 0
    for (const sample of chunk) {
      const own = scores.slice(next, (next += optionsOf(sample).length))
      answers.push(toAnswer(sample, own))
    }
    onProgress(answers.length)
  }
  const cut = answers.filter(({ cutTokens }) => cutTokens > 0).length
  if (cut > 0) {
    const share = `${cut} of ${samples.length}`
    warn(`${benchmark.title}: ${share} prompts are too long and were cut.`)
  }
  return answers
}

const optionsOf = ({ expected }: Sample): readonly string[] =>
  expected.kind === 'choice' ? expected.options : []

const optionItems = (sample: Sample) =>
  optionsOf(sample).map((option, j) => ({
    key: `${sample.id}, option ${j + 1}`,
    before: sample.messages.map(({ content }) => content).join('\n'),
    continuation: ` ${option}`,
  }))

function toAnswer(sample: Sample, scores: readonly ContinuationScore[]): Reply {
  const sums = scores.map(({ logProbs }) => logProbs.reduce((sum, value) => sum + value, 0))
  const most = Math.max(...sums)
  const best = sums.indexOf(most)
  const likeliest = scores[0]?.likeliest
  // A head may prefer a class that the file has no row of.
  const other = likeliest && likeliest.logProb > most ? likeliest : undefined
  const tokens = scores[best]?.logProbs.length ?? 0
  const completion: Completion = {
    text: other?.name ?? optionsOf(sample)[best] ?? '',
    tokenIds: [],
    stop: 'end',
    meanLogProb: other ? other.logProb : tokens === 0 ? 0 : sums[best]! / tokens,
  }
  // Options differ in length, so the prompt may be cut by different amounts.
  const cutTokens = Math.max(0, ...scores.map(({ cut }) => cut))
  const promptDigest = digestOf((scores[0]?.beforeIds ?? []).slice(cutTokens))
  const answer = { sample, epoch: 0, completion, optionLogProbs: sums, promptDigest, cutTokens }
  return other ? { ...answer, otherLogProb: other.logProb } : answer
}
