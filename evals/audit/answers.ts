/** @file What a model state says to a benchmark's prompts: written replies, or how probable it finds each option. */
import { createHash } from 'node:crypto'
import type { Completion, Sample } from '../contract/rows.ts'
import type { ScoredText } from '../inference/score.ts'
import type { Subject } from '../inference/subject.ts'
import type { Answer } from '../judges/judge.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'

/** An answer before the base has looked at it. */
export interface Reply extends Omit<Answer, 'baseMeanLogProb'> {
  /** 16 hexadecimal digits of the sha256 over the tokens that the model was given. */
  readonly promptDigest: string
  /** Prompt and reply as tokens, the reply's to be scored; where a reply was written at all. */
  readonly written?: ScoredText
}

export interface Asking {
  readonly signal: AbortSignal
  readonly onProgress: (done: number) => void
  readonly warn: (message: string) => void
}

const digestOf = (ids: readonly number[]) =>
  createHash('sha256').update(Int32Array.from(ids)).digest('hex').slice(0, 16)

/** In the samples' order. */
export function answersOf(
  subject: Subject,
  prepared: PreparedBenchmark,
  asking: Asking,
): Promise<Reply[]> {
  const hasOptions = prepared.samples.some(({ expected }) => expected.kind === 'choice')
  return hasOptions ? scored(subject, prepared, asking) : written(subject, prepared, asking)
}

async function written(
  subject: Subject,
  { benchmark, samples }: PreparedBenchmark,
  { signal, onProgress }: Asking,
): Promise<Reply[]> {
  const answers = new Array<Reply>(samples.length)
  const prompts = samples.map(({ id, messages }) => ({ key: id, messages }))
  const decoding = { maxNewTokens: benchmark.maxNewTokens, temperature: 0, seed: 0 }
  let done = 0
  for await (const { index, completion, promptIds, writtenIds } of subject.generate(
    prompts,
    decoding,
    signal,
  )) {
    const sample = samples[index]!
    const written = { key: sample.id, ids: [...promptIds, ...writtenIds], from: promptIds.length }
    answers[index] = { sample, completion, promptDigest: digestOf(promptIds), written }
    if (++done % 16 === 0) onProgress(done)
  }
  return answers
}

/** Prompts scored side by side before progress is told. */
const CHUNK = 64

/** Plain text, as lm-evaluation-harness scores it: " " and the option after the question, no chat template. */
async function scored(
  subject: Subject,
  { samples, benchmark }: PreparedBenchmark,
  { signal, onProgress, warn }: Asking,
): Promise<Reply[]> {
  const answers: Reply[] = []
  let cut = 0
  for (let start = 0; start < samples.length; start += CHUNK) {
    const chunk = samples.slice(start, start + CHUNK)
    const items = chunk.flatMap(optionItems)
    const scores = await subject.continuations(items, signal)
    let next = 0
    for (const sample of chunk) {
      const own = scores.slice(next, (next += optionsOf(sample).length))
      if (own.some((score) => score.cut > 0)) cut++
      answers.push(toAnswer(sample, own))
    }
    onProgress(answers.length)
  }
  if (cut > 0) {
    const share = `${cut} of ${samples.length}`
    warn(`${benchmark.title}: ${share} prompts are too long and were cut at their beginning.`)
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

function toAnswer(
  sample: Sample,
  scores: readonly { logProbs: Float32Array; beforeIds: readonly number[] }[],
): Reply {
  const sums = scores.map(({ logProbs }) => logProbs.reduce((sum, value) => sum + value, 0))
  const best = sums.indexOf(Math.max(...sums))
  const tokens = scores[best]?.logProbs.length ?? 0
  const completion: Completion = {
    text: optionsOf(sample)[best] ?? '',
    tokenIds: [],
    stop: 'end',
    meanLogProb: tokens === 0 ? 0 : sums[best]! / tokens,
  }
  const promptDigest = digestOf(scores[0]?.beforeIds ?? [])
  return { sample, completion, optionLogProbs: sums, promptDigest }
}
