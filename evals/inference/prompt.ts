/** @file How a reply begins and ends: inside a thought or not, with budgets of thought and answer, and its tokens as both. */
import type { Completion, Message } from '../contract/rows.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { budgetOf, splitThought, thoughtAtEnd, type ReplyStart } from '../models/text/thoughts.ts'
import { promptText } from '../models/text/prompt-text.ts'
import { longestReply, type Decoding, type GeneratedTokens, type TokenPrompt } from './decoding.ts'

type TextModel = Pick<OpenModel, 'tokenizer' | 'template'>

interface RenderedPrompt {
  readonly text: string
  /** Whether the prompt leaves a thought open. */
  readonly start: ReplyStart
}

export async function renderPrompt(
  { template }: Pick<TextModel, 'template'>,
  messages: readonly Message[],
): Promise<RenderedPrompt> {
  const text = await promptText(template, messages)
  const own = template.thinking?.markers
  if (!own) return { text, start: { isInside: false } }
  // A marker inside a message opens nothing, but for the reply's beginning.
  const asked = messages.findLast(({ role }) => role !== 'assistant')
  const last = asked?.content.trim() ?? ''
  const from = last === '' ? 0 : Math.max(0, text.lastIndexOf(last)) + last.length
  const isInside = thoughtAtEnd(text, own, from) === 'open'
  return { text, start: { own, isInside } }
}

/** Longest thought of a model that thinks, where nothing else is said. */
const USUAL_THOUGHT = 1024

/** With room for a thought where the model thinks, or where the user gives some. */
export function withRoomToThink(
  { template }: Pick<TextModel, 'template'>,
  decoding: Decoding,
): Decoding {
  const usual = template.thinking?.mode === 'on' ? USUAL_THOUGHT : undefined
  const maxThinkingTokens = decoding.maxThinkingTokens ?? usual
  return maxThinkingTokens === undefined ? decoding : { ...decoding, maxThinkingTokens }
}

/** Most tokens of a reply, thought and answer together. */
export const replyTokens = (
  open: Pick<TextModel, 'template'>,
  decoding: Pick<Decoding, 'maxNewTokens' | 'maxThinkingTokens'>,
): number => longestReply(withRoomToThink(open, { temperature: 0, seed: 0, ...decoding }))

/** Counts thought and answer apart; nothing where the reply has one budget. */
export function budgetFor(
  { tokenizer }: TextModel,
  start: ReplyStart,
  { maxNewTokens, maxThinkingTokens }: Decoding,
): Pick<TokenPrompt, 'budget'> {
  if (maxThinkingTokens === undefined) return {}
  const budgets = { answer: maxNewTokens, thought: maxThinkingTokens }
  return { budget: () => budgetOf(tokenizer, start, budgets) }
}

export function completionOf(
  { tokenizer }: TextModel,
  start: ReplyStart,
  { tokenIds, stop, meanLogProb }: Pick<GeneratedTokens, 'tokenIds' | 'stop' | 'meanLogProb'>,
): Completion {
  const { thought, answer } = splitThought(tokenizer, tokenIds, start)
  return { text: answer, tokenIds, stop, meanLogProb, ...(thought && { thought }) }
}
