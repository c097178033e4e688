/** @file Which tokens of a row are trained on: assistant replies with their end tokens, or a plain text. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { ChatTemplate, Tokenizer } from '../checkpoint.ts'
import { replySpans, spansInSearch, type Span } from './reply-spans.ts'

export interface MaskedTokens {
  readonly ids: number[]
  /** True for tokens of assistant replies, including their end tokens, and of plain texts; same length as `ids`. */
  readonly labelled: boolean[]
}

type Message = Readonly<{ role: string; content: string }>

/**
 * What the model will see: the whole rendering. Replies are located by the template's own `{% generation %}` marks; else by
 * beginnings of the conversation that stay the same when it grows; else each reply is found in the whole rendering. Tokens
 * after a reply's end token, such as a line break, are not trained on. Throws `template.not-a-prefix` for a reply that cannot
 * be located.
 */
export async function maskedTokens(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  messages: readonly Message[],
): Promise<MaskedTokens> {
  if (messages[0]?.role === 'text') return plainTokens(tokenizer, messages[0].content)
  const full = await template.render(messages, { addGenerationPrompt: false })
  const ids = tokenizer.encode(full)
  const rendered = { template, tokenizer, messages, full, ids }
  const labelled = new Array<boolean>(ids.length).fill(false)
  const ranges = template.marksReplies ? await markedRanges(rendered) : await plainRanges(rendered)
  for (const [start, end] of ranges) labelled.fill(true, start, end)
  return { ids, labelled }
}

interface Rendered {
  readonly template: ChatTemplate
  readonly tokenizer: Tokenizer
  readonly messages: readonly Message[]
  readonly full: string
  readonly ids: readonly number[]
}

/** First token and the one after the last. */
type Range = readonly [number, number]

async function markedRanges(rendered: Rendered): Promise<Range[]> {
  const { template, messages, full } = rendered
  const options = { addGenerationPrompt: false, marksReplies: true }
  const { text, spans } = replySpans(await template.render(messages, options))
  if (text !== full) throw notLocated(rendered, 0)
  return spans.map((span) => rangeOf(rendered, span))
}

async function plainRanges(rendered: Rendered): Promise<Range[]> {
  const { template, tokenizer, messages, full, ids } = rendered
  const grown = await grownRanges(rendered)
  if (grown) return grown
  const spans = await spansInSearch(template, messages, full)
  const missing = spans.indexOf(null)
  if (missing >= 0) {
    const turns = [...messages.entries()].filter(([, { role }]) => role === 'assistant')
    throw notLocated(rendered, turns[missing]![0])
  }
  return spans.map((span) => {
    const [start, end] = rangeOf(rendered, span!)
    const closes = end < ids.length && tokenizer.endIds.includes(ids[end]!)
    return [start, closes ? end + 1 : end] as const
  })
}

const notLocated = ({ template }: Rendered, turn: number) =>
  new TouchstoneError('template.not-a-prefix', { path: template.source, turn: turn + 1 })

/** By renderings up to each reply; undefined where one is no beginning of the whole, as text or as ids. */
async function grownRanges(rendered: Rendered): Promise<Range[] | undefined> {
  const { template, tokenizer, messages, full, ids } = rendered
  const ranges: Range[] = []
  for (const [turn, { role }] of messages.entries()) {
    if (role !== 'assistant') continue
    const before = await template.render(messages.slice(0, turn), { addGenerationPrompt: true })
    const after =
      turn === messages.length - 1
        ? full
        : await template.render(messages.slice(0, turn + 1), { addGenerationPrompt: false })
    if (!after.startsWith(before) || !full.startsWith(after)) return undefined
    const start = lengthAsPrefix(tokenizer.encode(before), ids)
    const end = lengthAsPrefix(tokenizer.encode(after), ids)
    if (start === undefined || end === undefined) return undefined
    ranges.push([start, endOfReply(ids, start, end, tokenizer.endIds)])
  }
  return ranges
}

/** Tokens that write the span, with one that reaches into it from before or out of it. */
function rangeOf({ tokenizer, full, ids }: Rendered, [start, end]: Span): Range {
  const common = (text: string) => {
    const found = tokenizer.encode(text)
    const differs = found.findIndex((id, i) => id !== ids[i])
    return differs < 0 ? { at: found.length, isWhole: true } : { at: differs, isWhole: false }
  }
  const { at, isWhole } = common(full.slice(0, end))
  return [common(full.slice(0, start)).at, isWhole ? at : at + 1]
}

/** All of a plain text, after the tokenizer's prefix ids; suffix ids are not added. */
function plainTokens(tokenizer: Tokenizer, text: string): MaskedTokens {
  const { prefixIds = [] } = tokenizer
  const ids = [...prefixIds, ...tokenizer.encode(text)]
  return { ids, labelled: ids.map((_, t) => t >= Math.max(1, prefixIds.length)) }
}

function lengthAsPrefix(prefix: readonly number[], ids: readonly number[]): number | undefined {
  return prefix.every((id, index) => id === ids[index]) ? prefix.length : undefined
}

/** Index after the turn's last end token, or the end of the turn if the template writes none. */
function endOfReply(
  ids: readonly number[],
  start: number,
  end: number,
  endIds: readonly number[],
): number {
  for (let at = end - 1; at >= start; at--) if (endIds.includes(ids[at]!)) return at + 1
  return end
}
