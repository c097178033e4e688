/** @file A chat completion or a plain one as its server writes it. Everything in it is untrusted. */
import { z } from 'zod'
import type { Completion } from '../../contract/rows.ts'
import type { ServedWord } from '../../contract/subjects/served.ts'
import { parseJsonStrictly } from '../../files/strict-json.ts'
import { Failure, Passing } from '../../judges/transport.ts'

const Count = z.int().min(0).nullish()
/** Nats; a sum in single precision may end a little above 0. */
const LogProb = z.number().max(1e-3).nullish()

const Choice = z.object({
  message: z
    .object({
      content: z.string().nullish(),
      /** OpenAI's, in place of an answer. */
      refusal: z.string().nullish(),
      reasoning_content: z.string().nullish(),
      reasoning: z.string().nullish(),
      /** What a program is to do, or hears, in place of words or beside them. */
      tool_calls: z.array(z.unknown()).nullish(),
      function_call: z.unknown().optional(),
      audio: z.unknown().optional(),
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
        .record(
          z.string(),
          z.object({ logprob: z.number().max(1e-3), decoded_token: z.string().nullish() }),
        )
        .nullable(),
    )
    .nullish(),
  token_ids: z.array(z.int()).nullish(),
})

/** A chat's reply or a plain one; of two that differ, nothing says which is the reply either. */
function hasOneReply({ message, text }: z.infer<typeof Choice>): boolean {
  const content = message?.content ?? message?.refusal
  return content == null || text == null ? message != null || text != null : content === text
}

const Response = z.object({
  model: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
  // One was asked for; of two, nothing says which is the reply.
  choices: z.tuple([Choice.refine(hasOneReply)]),
  usage: z.object({ prompt_tokens: Count, completion_tokens: Count }).nullish(),
})
/** Some servers tell of errors with status 200. */
const Ill = z.object({ error: z.unknown().refine((error) => error != null) })
/** How servers end a reply that they could not write on. */
const ILL_ENDS: ReadonlySet<string> = new Set(['error', 'abort'])

type Written = z.infer<typeof Choice>

export interface ServedReply {
  readonly word: ServedWord
  readonly choice: Written
}

const NAME_LENGTH = 200
/** A name that a stranger wrote: one line, not long. */
export const nameOf = (text: string): string =>
  text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, NAME_LENGTH)
const named = (text: string | null | undefined) => (text == null ? null : nameOf(text))

/** Half a JSON text may come whole the next time; another form will not. */
export function readReply(answer: Buffer): ServedReply {
  const json = jsonOf(answer)
  if (Ill.safeParse(json).success) throw ill()
  const parsed = Response.safeParse(json)
  if (!parsed.success) throw new Failure('The answer is no completion.')
  const { model, system_fingerprint: fingerprint, choices, usage } = parsed.data
  const [choice] = choices
  if (ILL_ENDS.has(choice.finish_reason ?? '')) throw ill()
  const word: ServedWord = {
    model: named(model),
    finish: named(choice.finish_reason),
    fingerprint: named(fingerprint),
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  }
  return { word, choice }
}

const ill = () => new Passing('The answer is an error in place of a completion.')

/** The whole may come the next time; of a key that stands twice two readers would read two things. */
export const jsonOf = (answer: Buffer): unknown =>
  parseJsonStrictly(textOf(answer), (_, expected) =>
    expected === 'JSON'
      ? new Passing('The answer is no JSON.')
      : new Failure('The answer is no completion: its JSON has a key twice, or is too deep.'),
  )

function textOf(answer: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(answer)
  } catch {
    throw new Passing('The answer is no UTF-8.')
  }
}

/** An answer and its thought, from a field of its own or between `<think>` and `</think>`. */
export function completionOf({ word, choice }: ServedReply): Completion {
  const words = choice.message?.content ?? choice.message?.refusal ?? choice.text ?? ''
  const text = words === '' ? '' : [words, ...besideWords(choice)].join('\n')
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

/** Calls and sounds, as code: no judge takes a reply for its words alone where the server sent more. */
const besideWords = ({ message }: Written): string[] =>
  [...(message?.tool_calls ?? []), message?.function_call, message?.audio]
    .filter((beside) => beside != null)
    .map((beside) => `\`\`\`\n${JSON.stringify(beside)}\n\`\`\``)

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
