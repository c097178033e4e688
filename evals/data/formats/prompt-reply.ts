/** @file One prompt and one reply per row, in columns of the usual names. */
import { conversationOf, textIn, type DataFormat } from '../format.ts'

const PROMPTS = ['prompt', 'question', 'query']
const REPLIES = ['completion', 'response', 'answer', 'reply']

/** @param names other names of the columns */
export const promptReply = (
  names: { readonly prompt: readonly string[]; readonly reply: readonly string[] } = {
    prompt: PROMPTS,
    reply: REPLIES,
  },
): DataFormat => ({
  name: 'prompt-reply',
  title: 'Prompt and reply',
  columns: [names.prompt, names.reply],
  convert(row) {
    const prompt = textIn(row, names.prompt)
    const reply = textIn(row, names.reply)
    if (prompt === undefined) return { why: `its ${names.prompt[0]} is no text` }
    if (reply === undefined) return { why: `its ${names.reply[0]} is no text` }
    const system = textIn(row, ['system']) ?? ''
    return conversationOf([
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt },
      { role: 'assistant', content: reply },
    ])
  },
})
