/** @file What a kind of context is: it changes how the same prompts are put to a model, and nothing of what is expected. */
import type { z } from 'zod'
import type { Decoding, Message, Sample } from '../../contract/rows.ts'

/** Prompts of one benchmark as they are put, and how replies are drawn. */
export interface Put {
  readonly samples: readonly Sample[]
  readonly decoding: Decoding
}

/** What a kind may read beside its setting. */
export interface ContextSources {
  /** Rows of training data, by the name or path that `--data` takes. */
  readonly conversations: (name: string) => Promise<readonly (readonly Message[])[]>
  /** The first tokens of a text, by the model's tokenizer. */
  readonly clip: (text: string, tokens: number) => string
}

/** Law: samples keep their identifiers, categories and expectations; a prompt that has no form in the context is left out. */
export interface ContextKind<S = unknown> {
  /** The key in a file of contexts. */
  readonly name: string
  readonly title: string
  readonly setting: z.ZodType<S>
  readonly apply: (put: Put, setting: S, sources: ContextSources) => Put | Promise<Put>
}

/** A kind that changes the messages of each sample. */
export const messageKind = <S>(
  stated: Omit<ContextKind<S>, 'apply'>,
  change: (messages: readonly Message[], setting: S, id: string) => Message[],
): ContextKind<S> => ({
  ...stated,
  apply: ({ samples, decoding }, setting) => ({
    decoding,
    samples: samples.map((sample) => ({
      ...sample,
      messages: change(sample.messages, setting, sample.id),
    })),
  }),
})

/** The messages with other texts of the user. */
export const withUserText = (
  messages: readonly Message[],
  change: (text: string) => string,
): Message[] =>
  messages.map((message) =>
    message.role === 'user' ? { ...message, content: change(message.content) } : message,
  )

/** The messages with `text` as system prompt, before the one that they have. */
export function withSystem(messages: readonly Message[], text: string): Message[] {
  const own = messages[0]?.role === 'system' ? messages[0].content : undefined
  const content = own === undefined ? text : `${text}\n\n${own}`
  return [{ role: 'system', content }, ...messages.slice(own === undefined ? 0 : 1)]
}

/** The messages with earlier turns before them, after their system prompt. */
export function withEarlier(messages: readonly Message[], turns: readonly Message[]): Message[] {
  const systems = messages[0]?.role === 'system' ? 1 : 0
  return [...messages.slice(0, systems), ...turns, ...messages.slice(systems)]
}
