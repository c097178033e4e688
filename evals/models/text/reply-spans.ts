/** @file Where the replies of a conversation stand in its whole rendering. */
import type { ChatTemplate } from '../checkpoint.ts'
import { REPLY_MARKS } from './jinja/marks.ts'

type Message = Readonly<{ role: string; content: string }>

/** First character and the one after the last. */
export type Span = readonly [number, number]

/** Takes the marks of a rendering out and gives what stood between them. */
export function replySpans(marked: string): { text: string; spans: Span[] } {
  const [open, close] = REPLY_MARKS
  const spans: Span[] = []
  let text = ''
  for (const part of marked.split(open)) {
    const [inside, after] = part.split(close) as [string, string?]
    if (after !== undefined) spans.push([text.length, text.length + inside.length])
    text += inside + (after ?? '')
  }
  return { text, spans }
}

/**
 * Finds each reply after the message before it, and after the beginning that the template gives to a reply. A thought that the
 * template leaves out of earlier turns is not part of it. Null for a reply that is not found.
 */
export async function spansInSearch(
  template: ChatTemplate,
  messages: readonly Message[],
  full: string,
): Promise<(Span | null)[]> {
  const headers = await headersOf(template)
  const spans: (Span | null)[] = []
  let from = 0
  for (const { role, content } of messages) {
    if (role !== 'assistant') {
      const at = full.indexOf(content.trim(), from)
      if (at >= 0) from = at + content.trim().length
      continue
    }
    const close = template.thinking?.markers.close
    const span = spanOf(full, from, { headers, forms: formsOf(content, close), close })
    if (span) from = span[1]
    spans.push(span)
  }
  return spans
}

/** What the template writes before a reply: whole, and without a thought that it opens. */
async function headersOf(template: ChatTemplate): Promise<string[]> {
  const question = [{ role: 'user', content: 'Hello' }]
  const plain = await template.render(question, { addGenerationPrompt: false })
  const begun = await template.render(question, { addGenerationPrompt: true })
  if (!begun.startsWith(plain)) return []
  const header = begun.slice(plain.length)
  const open = template.thinking?.markers.open
  const short = open === undefined ? header : header.split(open)[0]!
  return [...new Set([header, short])].filter((each) => each.trim() !== '')
}

/** The reply as it is written, and without its thought. */
function formsOf(content: string, close: string | undefined): string[] {
  const answer = close === undefined ? content : content.split(close).at(-1)!
  return [...new Set([content, content.trim(), answer.trim()])]
}

interface Sought {
  readonly headers: readonly string[]
  readonly forms: readonly string[]
  /** Ends a thought, which may stand between beginning and reply. */
  readonly close: string | undefined
}

function spanOf(full: string, from: number, { headers, forms, close }: Sought): Span | null {
  for (const header of headers) {
    const at = full.indexOf(header, from)
    if (at < 0) continue
    const start = at + header.length
    for (const form of forms) {
      const found = full.indexOf(form, start)
      if (found < 0) continue
      const between = full.slice(start, found)
      const isThought = close !== undefined && between.includes(close)
      if (between.trim() === '' || (isThought && !between.includes(header)))
        return [start, found + form.length]
    }
  }
  return null
}
