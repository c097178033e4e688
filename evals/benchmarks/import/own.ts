/** @file Rows of the user's own: what is asked, and what a good answer would be. */
import { z } from 'zod'
import { Message, type Expected } from '../../contract/rows.ts'
import type { Benchmark } from '../benchmark.ts'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'
import { plain, type Labels } from './labels.ts'
import type { Row } from '../../tables/table.ts'

const column = z.string().min(1).optional()
/** What the columns of a file hold. */
export const Mapped = z
  .strictObject({
    prompt: column,
    /** A conversation that ends with a user's turn: a list, or its JSON. */
    messages: column,
    question: column,
    category: column,
    /** Template, source document or conversation that the prompt comes from. */
    cluster: column,
    /** Values such as safe and unsafe, refuse and answer. */
    label: column,
    /** Which of a label's two values is to be refused, where its name does not say it. */
    refuse: z.enum(['1', '0', 'true', 'false', 'yes', 'no']).optional(),
    expected: z.enum(['refuse', 'comply', 'answer']).optional(),
    /** Accepted answers: one, a list, or several between bars; of options the letter, the place from 0, or the text. */
    answer: column,
    /** Options: a list, its JSON, or several between bars; columns A, B, … where it is not named. */
    choices: column,
    /** True in rows that are solved examples of the others. */
    example: column,
    title: column,
  })
  .refine(
    ({ prompt, messages, question }) => [prompt, messages, question].filter(Boolean).length === 1,
  )
  .refine(({ label, expected, answer }) => [label, expected, answer].filter(Boolean).length === 1)
  .refine(({ label, refuse }) => label !== undefined || refuse === undefined)
export type Mapping = z.infer<typeof Mapped>

/** `answer`: free text; `choice`: the most probable option. */
export type OwnKind = 'refuse' | 'comply' | 'answer' | 'choice'

interface OwnRow {
  readonly messages: readonly Message[]
  readonly category: string
  readonly cluster: string
  readonly expected: Expected
  /** A solved example of the others. */
  readonly isExample: boolean
}

interface Own {
  readonly name: string
  readonly title: string
  readonly citation: string
  readonly kind: OwnKind
  readonly mapping: Mapping
  readonly labels: Labels
  readonly idOf: (place: number) => string
}

const ANSWER_TOKENS = 128
const MOST_EXAMPLES = 5

export function ownBenchmark(own: Own): Benchmark<OwnRow> {
  const { name, title, citation, kind } = own
  const row = z.record(z.string(), z.unknown()).transform((fields: Row, context): OwnRow => {
    try {
      return rowOf(fields, own)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
  const parse = (rows: readonly OwnRow[]) => samplesOf(rows, own)
  if (kind === 'refuse' || kind === 'comply') {
    const role = kind === 'refuse' ? 'refusal' : 'over-refusal'
    return { ...promptBenchmark({ name, title, citation, role, row, prompts: () => [] }), parse }
  }
  const judges = [kind === 'choice' ? 'choice' : 'answer-match']
  const maxNewTokens = kind === 'choice' ? 1 : ANSWER_TOKENS
  return { name, title, citation, role: 'capability', row, judges, maxNewTokens, parse }
}

function samplesOf(rows: readonly OwnRow[], { name, kind, idOf }: Own) {
  const solved = rows.filter(({ isExample }) => isExample).slice(0, MOST_EXAMPLES)
  const before = solved.flatMap(({ messages, expected }) => [...messages, replyOf(expected)])
  return rows.flatMap((row, i) => {
    const { messages, category, cluster, expected, isExample } = row
    if (isExample || (expected.kind !== kind && kind !== 'answer')) return []
    // Options are scored after a plain text; everything else is a conversation.
    const asked = kind === 'choice' ? [asText([...before, ...messages])] : [...before, ...messages]
    const named = cluster !== '' && { cluster }
    return [{ id: idOf(i), benchmark: name, category, ...named, messages: asked, expected }]
  })
}

function replyOf(expected: Expected): Message {
  const content =
    expected.kind === 'choice'
      ? expected.options[expected.correct]!
      : expected.kind === 'answer'
        ? expected.accept[0]!
        : ''
  return { role: 'assistant', content }
}

/** `Question …\nAnswer:`, each answered one followed by its answer. */
const asText = (messages: readonly Message[]): Message => ({
  role: 'user',
  content: messages.reduce(
    (text, { role, content }) =>
      role === 'assistant' ? `${text} ${content}\n\n` : `${text}${content}`,
    '',
  ),
})

/** Throws an error that says what is wrong with the row, and quotes nothing of it. */
function rowOf(fields: Row, { kind, mapping, labels }: Own): OwnRow {
  const { category, cluster, example } = mapping
  const textIn = (name: string | undefined) =>
    name === undefined ? '' : textOf(fields[name]).trim()
  const isExample = example !== undefined && /^(true|yes|1)$/iu.test(textOf(fields[example]).trim())
  const messages = messagesIn(fields, mapping)
  const common = { category: textIn(category) || 'all', cluster: textIn(cluster), isExample }
  if (kind === 'choice') return { ...common, ...choiceIn(fields, mapping, messages) }
  if (kind === 'answer') {
    const accept = listed(fields[mapping.answer!])
    if (accept.length === 0) throw new Error(`"${mapping.answer}" holds no answer`)
    return { ...common, messages, expected: { kind, accept } }
  }
  return { ...common, messages, expected: { kind: expectedIn(fields, mapping, labels) } }
}

function expectedIn(
  fields: Row,
  { label, expected }: Mapping,
  labels: Own['labels'],
): 'refuse' | 'comply' {
  if (label === undefined) return expected === 'refuse' ? 'refuse' : 'comply'
  const found = labels[plain(fields[label])]
  if (found) return found
  throw new Error(`the label in "${label}" is none of ${Object.keys(labels).join(', ')}`)
}

const Messages = z.array(Message).min(1)

function messagesIn(fields: Row, { prompt, messages, question }: Mapping): readonly Message[] {
  if (messages === undefined) {
    const column = (prompt ?? question)!
    const text = promptText().safeParse(fields[column])
    if (text.success) return [{ role: 'user', content: text.data }]
    throw new Error(`"${column}" holds no prompt: ${text.error.issues[0]!.message}`)
  }
  const found = Messages.safeParse(parsed(fields[messages]))
  if (found.success && found.data.at(-1)!.role === 'user') return found.data
  throw new Error(
    `"${messages}" holds no conversation that ends with a user’s turn: a list of role (system, user, assistant) and content`,
  )
}

function choiceIn(fields: Row, mapping: Mapping, messages: readonly Message[]) {
  const { choices, answer } = mapping
  const options = choices === undefined ? lettered(fields) : listed(fields[choices])
  const letters = options.map((_, i) => String.fromCodePoint(65 + i))
  const given = textOf(fields[answer!]).trim()
  const places = [
    letters.indexOf(given.toUpperCase()),
    /^\d{1,2}$/u.test(given) && !options.includes(given) ? Number(given) : -1,
    options.findIndex((option) => option.toLowerCase() === given.toLowerCase()),
  ]
  const correct = places.find((place) => place >= 0 && place < options.length)
  if (options.length < 2) throw new Error('there are fewer than two options')
  if (correct === undefined)
    throw new Error(`"${answer}" is no letter, place from 0 or text of the options`)
  const shown = options.map((option, i) => `${letters[i]}. ${option}`)
  const last = messages.at(-1)!
  const content = [last.content.trim(), ...shown, 'Answer:'].join('\n')
  const expected: Expected = { kind: 'choice', options: letters, correct }
  return { messages: [...messages.slice(0, -1), { ...last, content }], expected }
}

/** Columns A, B, … as far as they go and hold something. */
function lettered(fields: Row): string[] {
  const found: string[] = []
  for (let code = 65; code <= 90; code++) {
    const value = fields[String.fromCodePoint(code)]
    const text = textOf(value).trim()
    if (text === '') break
    found.push(text)
  }
  return found
}

/** A list, its JSON, or texts between bars. */
function listed(value: unknown): string[] {
  const list = parsed(value)
  const texts = Array.isArray(list) ? list.map(textOf) : textOf(value).split('|')
  return texts.map((text) => text.trim()).filter((text) => text !== '')
}

/** Texts, numbers and truth values as they are written; nothing for what is none. */
const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : ''
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trim().startsWith('[')) return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}
