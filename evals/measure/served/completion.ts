/** @file A chat completion or a plain one as its server writes it. Everything in it is untrusted. */
import { z } from 'zod'
import type { Completion } from '../../contract/rows.ts'
import type { ServedWord } from '../../contract/subjects/served.ts'
import { Failure, Passing } from '../../judges/transport.ts'

const Count = z.int().min(0).nullish()
const LogProb = z.number().nullish()

const Choice = z.object({
  message: z
    .object({
      content: z.string().nullish(),
      reasoning_content: z.string().nullish(),
      reasoning: z.string().nullish(),
    })
    .nullish(),
  text: z.string().nullish(),
  finish_reason: z.string().nullish(),
  logprobs: z
    .object({
      content: z.array(z.object({ logprob: LogProb })).nullish(),
      tokens: z.array(z.string()).nullish(),
      token_logprobs: z.array(LogProb).nullish(),
      text_offset: z.array(z.int()).nullish(),
    })
    .nullish(),
  /** vLLM's: one entry a token of the prompt, null for the first. */
  prompt_logprobs: z
    .array(
      z
        .record(z.string(), z.object({ logprob: z.number(), decoded_token: z.string().nullish() }))
        .nullable(),
    )
    .nullish(),
  token_ids: z.array(z.int()).nullish(),
})

const Response = z.object({
  model: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
  choices: z.array(Choice).min(1),
  usage: z.object({ prompt_tokens: Count, completion_tokens: Count }).nullish(),
})

type Written = z.infer<typeof Choice>

export interface ServedReply {
  readonly word: ServedWord
  readonly choice: Written
}

const NAME_LENGTH = 200
/** A name that a stranger wrote: one line, not long. */
const nameOf = (text: string | null | undefined): string | null =>
  text == null ? null : text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, NAME_LENGTH)

/** Half a JSON text may come whole the next time; another form will not. */
export function readReply(answer: Buffer): ServedReply {
  const parsed = Response.safeParse(jsonOf(answer))
  if (!parsed.success) throw new Failure('The answer is no completion.')
  const { model, system_fingerprint: fingerprint, choices, usage } = parsed.data
  const choice = choices[0]!
  const word: ServedWord = {
    model: nameOf(model),
    finish: nameOf(choice.finish_reason),
    fingerprint: nameOf(fingerprint),
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  }
  return { word, choice }
}

export function jsonOf(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString('utf8')) as unknown
  } catch {
    throw new Passing('The answer is no JSON.')
  }
}

/** An answer and its thought, from a field of its own or between `<think>` and `</think>`. */
export function completionOf({ word, choice }: ServedReply): Completion {
  const text = choice.message?.content ?? choice.text ?? ''
  const own = choice.message?.reasoning_content ?? choice.message?.reasoning
  const stop = stopOf(word.finish)
  const logProbs = logProbsOf(choice)
  const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length
  const rest = { tokenIds: [], stop, meanLogProb: logProbs.length > 0 ? mean : null }
  const thought = own ? { thought: own, answer: text } : inlineThought(text)
  if (!thought) return { text, ...rest }
  const isFinished = thought.answer !== '' || stop === 'end'
  return {
    ...rest,
    text: thought.answer,
    thought: { text: thought.thought, tokens: 0, isFinished },
  }
}

function inlineThought(text: string): { thought: string; answer: string } | undefined {
  const { thought, answer = '' } =
    /^\s*<think>(?<thought>.*?)(?:<\/think>\s*(?<answer>.*))?$/su.exec(text)?.groups ?? {}
  return thought === undefined ? undefined : { thought, answer }
}

const ENDS: ReadonlySet<string | null> = new Set(['stop', 'eos_token', 'stop_sequence'])

/** Anything but an end that the server speaks of may be a cut. */
const stopOf = (finish: string | null): Completion['stop'] => (ENDS.has(finish) ? 'end' : 'length')

/** Of the reply's tokens, as far as they are given; none where one of them lacks it. */
function logProbsOf({ logprobs }: Written): number[] {
  const all = logprobs?.content?.map(({ logprob }) => logprob) ?? logprobs?.token_logprobs ?? []
  const known = all.flatMap((value) => value ?? [])
  return known.length === all.length ? known : []
}
