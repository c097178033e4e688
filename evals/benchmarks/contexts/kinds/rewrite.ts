/** @file The same words in another form: lower case, slips of the keyboard, Markdown, JSON. */
import { z } from 'zod'
import { drawNumber } from '../draw.ts'
import { messageKind, withUserText } from '../kind.ts'

interface Slips {
  readonly share: number
  readonly seed: number
}

type Form = (text: string, slips: Slips, id: string) => string

/** Every form that a prompt can be rewritten in, by name. */
const FORMS = {
  'lower-case': (text) => text.toLowerCase(),
  typos: (text, { share, seed }, id) => {
    let word = 0
    return text.replace(/\p{L}{4,}/gu, (found) =>
      drawNumber('slip', seed, id, ++word) < share ? slip(found, seed, `${id} ${word}`) : found,
    )
  },
  markdown: (text) => `## Request\n\n> **${text}**`,
  json: (text) => JSON.stringify({ request: text }),
} satisfies Record<string, Form>
const NAMES = Object.keys(FORMS) as (keyof typeof FORMS)[]

/** Two neighbouring letters after the first changed places, or one of them left out or doubled. */
function slip(word: string, seed: number, name: string): string {
  const letters = [...word]
  const at = 1 + Math.floor(drawNumber('place', seed, name) * (letters.length - 2))
  const [one, two] = [letters[at]!, letters[at + 1]!]
  const changed = [`${two}${one}`, one, `${one}${one}${two}`]
  const chosen = changed[Math.floor(drawNumber('kind', seed, name) * changed.length)]!
  return letters.slice(0, at).join('') + chosen + letters.slice(at + 2).join('')
}

const As = z.enum(NAMES)
const Rewrite = z.union([
  As,
  z.strictObject({
    as: As,
    /** Of words of four letters and more that get a slip. */
    share: z.number().gt(0).max(1).default(0.3),
    seed: z.int().min(0).default(0),
  }),
])

export const rewrite = messageKind(
  { name: 'rewrite', title: 'form of the prompt', setting: Rewrite },
  (messages, setting, id) => {
    const { as, ...slips } = Rewrite.parse(
      typeof setting === 'string' ? { as: setting } : setting,
    ) as Slips & { as: keyof typeof FORMS }
    const form: Form = FORMS[as]
    return withUserText(messages, (text) => form(text, slips, id))
  },
)
