/** @file The interface of a format of fine-tuning data: the columns by which it is recognised, and how a row is converted. */
import type { Message } from '../contract/rows.ts'

/** Raw text, without turns. */
interface PlainText {
  readonly role: 'text'
  readonly content: string
}

/** What is trained on: turns that end in a reply, or raw text. */
export type Conversation = readonly (Message | PlainText)[]
export type Row = Readonly<Record<string, unknown>>

/** What was left out of a row that is used. */
export type Note = 'tool messages' | 'turns after the last reply' | 'pictures and other parts'

export type Converted =
  | { readonly messages: Conversation; readonly notes: readonly Note[] }
  /** Why the row cannot be used. */
  | { readonly why: string }

export interface DataFormat {
  readonly name: string
  readonly title: string
  /** A file has this format if it has one column of each group. */
  readonly columns: readonly (readonly string[])[]
  readonly convert: (row: Row) => Converted
}

/** A turn under construction; text parts of one message are joined. */
export interface Turn {
  readonly role: string
  readonly content: unknown
}

const ROLES: Readonly<Record<string, Message['role'] | 'tool'>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
  tool: 'tool',
  function: 'tool',
  function_call: 'tool',
  observation: 'tool',
}

/** Turns as a conversation that ends in a reply. Tool messages and turns after the last reply are left out. */
export function conversationOf(turns: readonly Turn[]): Converted {
  const notes = new Set<Note>()
  const messages: Message[] = []
  for (const { role, content } of turns) {
    const known = ROLES[role.toLowerCase()]
    if (known === undefined) return { why: `the role "${role.slice(0, 40)}" is unknown` }
    const text = textOf(content)
    if (known === 'tool' || text === undefined) {
      notes.add(known === 'tool' ? 'tool messages' : 'pictures and other parts')
      continue
    }
    if (text.isPartial) notes.add('pictures and other parts')
    messages.push({ role: known, content: text.text })
  }
  const last = messages.findLastIndex(({ role }) => role === 'assistant')
  if (last === -1) return { why: 'it holds no reply of an assistant' }
  if (last < messages.length - 1) notes.add('turns after the last reply')
  return { messages: messages.slice(0, last + 1), notes: [...notes] }
}

/** Plain text, or the text parts of a list of parts; `undefined` if there is no text. */
function textOf(content: unknown): { text: string; isPartial: boolean } | undefined {
  if (typeof content === 'string') return { text: content, isPartial: false }
  if (!Array.isArray(content)) return undefined
  const parts = (content as unknown[]).map((part) => {
    const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown }
    return type === 'text' && typeof text === 'string' ? text : undefined
  })
  const texts = parts.filter((part) => part !== undefined)
  if (texts.length === 0) return undefined
  return { text: texts.join(''), isPartial: texts.length < parts.length }
}

/** The first of the columns `names` that holds text. */
export function textIn(row: Row, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = row[name]
    if (typeof value === 'string') return value
  }
  return undefined
}
