/** @file A model behind an OpenAI-compatible address: what it can be asked, and what its server says of each reply. */
import { z } from 'zod'

/** Of one reply; null where the server does not say. */
export const ServedWord = z.object({
  model: z.string().nullable(),
  finish: z.string().nullable(),
  fingerprint: z.string().nullable(),
  promptTokens: z.int().nullable(),
  completionTokens: z.int().nullable(),
})
export type ServedWord = z.infer<typeof ServedWord>

/** How the log-probabilities of given tokens are asked for: OpenAI's `echo`, vLLM's `prompt_logprobs`. */
export const GIVEN_LOG_PROBS = ['echo', 'prompt_logprobs'] as const

/** The name of an environment variable that holds a server's key. */
export const KeyVariable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, 'the name of an environment variable, not a key')
  .max(100)
/** Why prompts may be sent to another machine. */
export const SendingReason = z.string().trim().min(8).max(500)

/** Found by asking, not taken from a name or a version. */
export const Capabilities = z.object({
  chat: z.boolean(),
  completions: z.boolean(),
  /** Of the tokens of a reply. */
  replyLogProbs: z.boolean(),
  givenLogProbs: z.enum(GIVEN_LOG_PROBS).nullable(),
  /** Whether two replies drawn with one seed are alike; null where another seed gives the same reply. */
  seeds: z.boolean().nullable(),
  tokenIds: z.boolean(),
  usage: z.boolean(),
  /** Whether a system message is taken. */
  systemRole: z.boolean(),
  /** Whether the server shows the text that its template makes of messages. */
  template: z.boolean(),
  contextLength: z.int().nullable(),
  /** Names that the server lists; null where it lists none. */
  models: z.array(z.string()).nullable(),
  /** Where a thought before the answer stands. */
  reasoning: z.enum(['reasoning_content', 'reasoning', 'inline']).nullable(),
})
export type Capabilities = z.infer<typeof Capabilities>

/** What is not measured because the server lacks it. */
const LEFT_OUT = ['options', 'neutral-loss', 'base-scores', 'texts', 'judge'] as const
const LeftOut = z.object({ what: z.enum(LEFT_OUT), name: z.string().nullable() })
export type LeftOut = z.infer<typeof LeftOut>

export const ServedFacts = z.object({
  addresses: z.array(z.string()),
  /** As it was asked for. */
  model: z.string(),
  /** As the server calls it in its replies, and the server’s fingerprint; null where it does not say. */
  answersAs: z.string().nullable(),
  fingerprint: z.string().nullable(),
  capabilities: Capabilities,
  leftOut: z.array(LeftOut),
})
export type ServedFacts = z.infer<typeof ServedFacts>
