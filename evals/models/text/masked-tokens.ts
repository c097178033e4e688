/** @file Which tokens of a row are trained on: assistant replies with their end tokens, or a plain text. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { ChatTemplate, Tokenizer } from '../checkpoint.ts'

export interface MaskedTokens {
  readonly ids: number[]
  /** True for tokens of assistant replies, including their end tokens, and of plain texts; same length as `ids`. */
  readonly labelled: boolean[]
}

type Message = Readonly<{ role: string; content: string }>

/**
 * Located by the template, never by searching the text: the rendering up to a reply must be a prefix of the full rendering,
 * as text and as ids. Tokens after a reply's end token, such as a line break, are not trained on.
 */
export async function maskedTokens(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  messages: readonly Message[],
): Promise<MaskedTokens> {
  if (messages[0]?.role === 'text') return plainTokens(tokenizer, messages[0].content)
  const full = await template.render(messages, { addGenerationPrompt: false })
  const ids = tokenizer.encode(full)
  const labelled = new Array<boolean>(ids.length).fill(false)
  for (const [turn, { role }] of messages.entries()) {
    if (role !== 'assistant') continue
    const refuse = () =>
      new TouchstoneError('template.not-a-prefix', { path: template.source, turn: turn + 1 })
    const before = await template.render(messages.slice(0, turn), { addGenerationPrompt: true })
    const after =
      turn === messages.length - 1
        ? full
        : await template.render(messages.slice(0, turn + 1), { addGenerationPrompt: false })
    if (!after.startsWith(before) || !full.startsWith(after)) throw refuse()
    const start = lengthAsPrefix(tokenizer.encode(before), ids)
    const end = lengthAsPrefix(tokenizer.encode(after), ids)
    if (start === undefined || end === undefined) throw refuse()
    labelled.fill(true, start, endOfReply(ids, start, end, tokenizer.endIds))
  }
  return { ids, labelled }
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
