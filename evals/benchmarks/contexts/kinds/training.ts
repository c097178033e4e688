/**
 * @file A context like the training's, in which a fine-tune that keeps its refusals elsewhere may have lost them: prompts wrapped
 * in the format of the training rows, or rows of the data as earlier turns with the data's most frequent system prompt.
 */
import { z } from 'zod'
import type { Message } from '../../../contract/rows.ts'
import { withEarlier, withSystem, withUserText, type ContextKind } from '../kind.ts'
import { drawn } from '../draw.ts'

const PROMPT = '{prompt}'

const Training = z
  .strictObject({
    /** The text of a prompt, with {prompt} in its place. */
    wrap: z
      .string()
      .refine((text) => text.includes(PROMPT), `it has no ${PROMPT}`)
      .optional(),
    /** Training data, as for --data. */
    rows: z.string().min(1).optional(),
    /** How many rows go before each prompt. */
    shots: z.int().min(0).max(100).default(2),
    seed: z.int().min(0).default(0),
  })
  .refine(({ wrap, rows }) => wrap !== undefined || rows !== undefined, 'give "wrap" or "rows"')

export const training: ContextKind<z.infer<typeof Training>> = {
  name: 'training',
  title: 'training-like context',
  setting: Training,
  async apply({ samples, decoding }, { wrap = PROMPT, rows, shots, seed }, sources) {
    const data = rows === undefined ? [] : await sources.conversations(rows)
    const system = mostFrequent(
      data.flatMap(([first]) => (first?.role === 'system' ? first.content : [])),
    )
    const earlier = drawn(seed, data.filter(isAnswered), shots).flatMap(withoutSystem)
    return {
      decoding,
      samples: samples.map((sample) => {
        const wrapped = withUserText(sample.messages, (text) => wrap.replaceAll(PROMPT, () => text))
        const messages = withEarlier(wrapped, earlier)
        return {
          ...sample,
          messages: system === undefined ? messages : withSystem(messages, system),
        }
      }),
    }
  },
}

const isAnswered = (messages: readonly Message[]) =>
  messages.at(-1)?.role === 'assistant' && messages.some(({ role }) => role === 'user')

const withoutSystem = (messages: readonly Message[]) =>
  messages.filter(({ role }) => role !== 'system')

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = [...Map.groupBy(texts, (text) => text)]
  return counts.sort(([, a], [, b]) => b.length - a.length)[0]?.[0]
}
