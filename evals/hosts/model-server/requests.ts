/**
 * @file Requests in the form of OpenAI's API. A parameter that would change the reply and is not supported is refused by name,
 * not ignored; its neutral value is accepted.
 */
import { z } from 'zod'
import type { Message } from '../../contract/rows.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'

const absent = <T extends z.ZodType>(value: T) =>
  value.nullish().transform((given) => given ?? undefined)
const only = (...values: (number | string | boolean)[]) =>
  absent(z.literal(values)).transform(() => undefined)
const empty = absent(z.union([z.tuple([]), z.strictObject({})])).transform(() => undefined)
const ignored = z.unknown().optional()

/** Characters of a stop string. */
const LONGEST_STOP = 200
const stop = z.string().min(1).max(LONGEST_STOP)

const Sampling = z.strictObject({
  model: z.string().min(1).max(500),
  n: absent(z.int().min(1).max(128)),
  temperature: absent(z.number().min(0).max(5)),
  top_p: absent(z.number().gt(0).max(1)),
  seed: absent(z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)),
  stop: absent(z.union([stop, z.array(stop).max(16)])),
  stream: absent(z.boolean()),
  stream_options: absent(
    z.object({ include_usage: absent(z.boolean()), include_obfuscation: ignored }),
  ),
  /** vLLM's: the tokens of prompt and reply as numbers. */
  return_token_ids: absent(z.boolean()),
  // Neutral values of what is not supported.
  frequency_penalty: only(0),
  presence_penalty: only(0),
  repetition_penalty: only(1),
  top_k: only(-1, 0),
  min_p: only(0),
  logit_bias: empty,
  // These change nothing in a reply.
  user: ignored,
  metadata: ignored,
  store: only(false),
  service_tier: ignored,
  safety_identifier: ignored,
  prompt_cache_key: ignored,
})

const tokens = absent(z.int().min(0).max(1_000_000))

const Part = z.object({ type: z.literal('text'), text: z.string() })
const Content = z
  .union([z.string(), z.array(Part).max(1000)])
  .transform((content) =>
    typeof content === 'string' ? content : content.map(({ text }) => text).join(''),
  )
const ChatMessage = z
  .object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content: Content })
  .transform(({ role, content }): Message => ({
    role: role === 'developer' ? 'system' : role,
    content,
  }))

export const ChatRequest = Sampling.extend({
  messages: z.array(ChatMessage).min(1).max(1000),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  logprobs: absent(z.boolean()),
  top_logprobs: absent(z.int().min(0).max(20)),
  tools: empty,
  functions: empty,
  tool_choice: only('none', 'auto'),
  function_call: only('none', 'auto'),
  parallel_tool_calls: ignored,
  response_format: absent(z.strictObject({ type: z.literal('text') })).transform(() => undefined),
  modalities: absent(z.tuple([z.literal('text')])).transform(() => undefined),
})

const ids = z.array(z.int().min(0)).min(1).max(1_000_000)

export const CompletionRequest = Sampling.extend({
  prompt: z.union([
    z.string(),
    ids,
    z
      .array(z.union([z.string(), ids]))
      .min(1)
      .max(2048),
  ]),
  max_tokens: tokens,
  logprobs: absent(z.int().min(0).max(20)),
  echo: absent(z.boolean()),
  best_of: only(1),
  suffix: only(''),
})

/** Throws `serve.request` naming the first parameter that is wrong. */
export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const found = schema.safeParse(value)
  if (found.success) return found.data
  const { path, message, ...issue } = found.error.issues[0]!
  const unknown =
    issue.code === 'unrecognized_keys' ? (issue as { keys: string[] }).keys[0] : undefined
  throw new TouchstoneError('serve.request', {
    parameter:
      [...path, ...(unknown === undefined ? [] : [unknown])].join('.').slice(0, 100) || 'it',
    why: unknown === undefined ? `is wrong: ${message.slice(0, 200)}` : 'is not supported',
  })
}
