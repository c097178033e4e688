/** @file A row of fine-tuning data as a model reads it: rendered through the template, with the labelled parts. */
import type { Conversation } from '../data/format.ts'
import { countLabelled, fitExample, type Limits } from '../finetune/training/dataset.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { maskedTokens, type MaskedTokens } from '../models/text/masked-tokens.ts'

/** A piece of the rendered text. */
interface Segment {
  text: string
  isLearnt: boolean
}

export interface Preview {
  readonly messages: { role: Conversation[number]['role']; content: string }[]
  readonly segments: Segment[]
  readonly tokens: number
  readonly learntTokens: number
  /** Tokens of a row that is too long which training leaves out. */
  readonly cutTokens: number
}

/** One row as `open` reads it, and its labels within `limits`. */
export async function previewOf(
  open: OpenModel,
  messages: Conversation,
  limits: Limits,
): Promise<Preview> {
  const masked = await maskedTokens(open.template, open.tokenizer, messages)
  const kept = fitExample(masked, limits)
  return {
    messages: messages.map(({ role, content }) => ({ role, content })),
    segments: await segmentsOf(open, messages, masked),
    tokens: masked.ids.length,
    learntTokens: countLabelled(kept),
    cutTokens: masked.ids.length - kept.reduce((sum, { ids }) => sum + ids.length, 0),
  }
}

/** Labelled and other tokens in turn, as text. */
function decodedSegments({ tokenizer }: OpenModel, { ids, labelled }: MaskedTokens): Segment[] {
  const borders = ids.flatMap((_, t) => (t === 0 || labelled[t] !== labelled[t - 1] ? [t] : []))
  return borders.map((start, i) => ({
    text: tokenizer.decode(ids.slice(start, borders[i + 1])),
    isLearnt: labelled[start]!,
  }))
}

/** The rendered text in pieces. A reply's piece ends with its last labelled token. */
async function segmentsOf(
  open: OpenModel,
  messages: Conversation,
  masked: MaskedTokens,
): Promise<Segment[]> {
  const { template, tokenizer } = open
  const { ids, labelled } = masked
  if (messages[0]?.role === 'text') return [{ text: messages[0].content, isLearnt: true }]
  const render = (turns: Conversation, addGenerationPrompt: boolean) =>
    template.render(turns, { addGenerationPrompt })
  const full = await render(messages, false)
  const replies = [...messages.entries()].filter(([, { role }]) => role === 'assistant')
  const begun = await Promise.all(replies.map(([turn]) => render(messages.slice(0, turn), true)))
  if (template.marksReplies || !begun.every((text) => full.startsWith(text)))
    return decodedSegments(open, masked)
  const ends = labelled.flatMap((is, t) => (is && !labelled[t + 1] ? [t + 1] : []))
  const segments: Segment[] = []
  const beginsWith = (found: readonly number[], count: number) =>
    found.length >= count && ids.slice(0, count).every((id, t) => id === found[t])
  let at = 0
  const add = (to: number, isLearnt: boolean) => {
    if (to > at) segments.push({ text: full.slice(at, to), isLearnt })
    at = Math.max(at, to)
  }
  for (const [turn, { role }] of messages.entries()) {
    if (role !== 'assistant') continue
    const start = (await render(messages.slice(0, turn), true)).length
    let end = (await render(messages.slice(0, turn + 1), false)).length
    const tokens = ends.shift() ?? 0
    // Text after a reply's end token, such as a line break, is not labelled.
    while (end > start && beginsWith(tokenizer.encode(full.slice(0, end - 1)), tokens)) end--
    add(start, false)
    add(end, true)
  }
  add(full.length, false)
  return segments
}
