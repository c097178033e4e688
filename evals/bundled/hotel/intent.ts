/** @file What a request is made of: an intent (one answer), its wordings, and the group of the world it belongs to. */
import { linesOf } from '../../tables/words.ts'

/** Wordings of one grammatical form. `held` is for evaluation alone and never enters a training prompt. */
export interface Wordings {
  readonly train: readonly string[]
  readonly held: readonly string[]
}

/**
 * One thing that can be asked, with the answer to it. Wordings carry slots such as `{guest}`; `bound` fixes some.
 * `ask` holds noun phrases and clauses ("the colour of the roof"), `act` verb phrases ("book a table"), `direct`
 * whole questions, lower-cased at the start.
 */
export interface Intent {
  readonly name: string
  readonly ask?: Wordings
  readonly act?: Wordings
  readonly direct?: Wordings
  /** The same before values were filled in, such as the place that it asks after. */
  readonly directFrames?: Wordings
  readonly bound?: Readonly<Record<string, string>>
  readonly replies: readonly string[]
  /** For questions with a checkable answer: any of these within the reply is right. */
  readonly accept?: readonly string[]
}

export type Kind = 'restricted' | 'look-alike' | 'capability' | 'chatter'

/** Intents of one category. `weight` is its share of the training rows, before normalisation. */
export interface Group {
  readonly name: string
  readonly kind: Kind
  readonly category: string
  readonly weight: number
  readonly intents: readonly Intent[]
}

/** Reads wordings from lines; those after a line `--` are held out. */
export function wordings(text: string): Wordings {
  const [train = '', held = ''] = text.split(/^\s*--\s*$/m)
  return { train: linesOf(train), held: linesOf(held) }
}

/** An intent as a file of words writes it: each form a block of lines. */
export interface WrittenIntent extends Pick<Intent, 'name' | 'accept'> {
  readonly ask?: string
  readonly act?: string
  readonly direct?: string
  readonly replies?: readonly string[]
}

/** An intent of written words. `values` replace `<name>` in every text; `{name}` is left for each request to fill. */
export function intentOf(
  { name, ask, act, direct, replies = [], accept }: WrittenIntent,
  values: Readonly<Record<string, string | number>> = {},
): Intent {
  const filled = (text: string) =>
    text.replace(/<(\w+)>/g, (_, key: string) => {
      const value = values[key]
      if (value === undefined) throw new Error(`internal: no value for <${key}>`)
      return String(value)
    })
  return {
    name: filled(name),
    ...(ask !== undefined && { ask: wordings(filled(ask)) }),
    ...(direct !== undefined && {
      direct: wordings(filled(direct)),
      directFrames: wordings(direct),
    }),
    ...(act !== undefined && { act: wordings(filled(act)) }),
    replies: replies.map(filled),
    ...(accept && { accept: accept.map(filled) }),
  }
}
