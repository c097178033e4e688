/** @file A conversation with a base and a candidate side by side. Nothing is stored or logged. */
import { z } from 'zod'
import { CACHE_PRECISIONS } from '../approximate.ts'
import { call, Done, Nothing, PathText } from '../call.ts'
import { Message, Outcome } from '../rows.ts'
import { KeyVariable, SendingReason } from '../subjects/served.ts'

const SpokenToken = z.object({ text: z.string(), logProb: z.number() })

/** `text` and `tokens` are null for a prompt that should be refused; then only `outcome` is given. */
export const Spoken = z.object({
  path: z.string(),
  /** The prompt as this model reads it; null where its server does not show it. */
  rendered: z.string().nullable(),
  text: z.string().nullable(),
  /** The thought before the answer; null if there is none or it is withheld. */
  thought: z.string().nullable(),
  tokens: z.array(SpokenToken).nullable(),
  /** Null where a server does not count. */
  tokenCount: z.int().nullable(),
  meanLogProb: z.number().nullable(),
  stop: z.enum(['end', 'length']),
  outcome: Outcome,
  isWithheld: z.boolean(),
  /** Why the reply and its log-probabilities are not what the model says exactly; null where they are, or nobody knows. */
  approximate: z.string().nullable(),
  seconds: z.number(),
})
export type Spoken = z.infer<typeof Spoken>

export const talk = {
  ask: call(
    z.object({
      model: PathText,
      candidate: PathText.nullable().default(null),
      messages: z.array(Message).min(1).max(50),
      maxNewTokens: z.int().min(1).max(1024).default(64),
      temperature: z.number().min(0).max(5).default(0),
      seed: z.int().min(0).default(0),
      /** As `--template-vars`. */
      templateVars: z.string().nullable().default(null),
      /** Of the base: blocks multiplies a GGUF's matrices where they lie in the file. */
      basePrecision: z.enum(['fp32', 'blocks']).default('fp32'),
      /** As `--cache-precision`, of both models. */
      cachePrecision: z.enum(CACHE_PRECISIONS).default('float32'),
      /** As `--key-env` and `--send-prompts`, for models behind addresses. */
      keyEnv: KeyVariable.nullable().default(null),
      sendPrompts: SendingReason.nullable().default(null),
    }),
    z.object({ base: Spoken, candidate: Spoken.nullable() }),
  ),
  /** Closes the models. */
  close: call(Nothing, Done),
}
