/** @file Preference pairs, `{prompt, chosen, rejected}`: the chosen reply is trained on, the rejected one left out. */
import { conversationOf, textIn, type DataFormat, type Turn } from '../format.ts'

const PROMPTS = ['prompt', 'question', 'instruction']

export const preference: DataFormat = {
  name: 'preference',
  title: 'Preference pairs, the chosen side',
  columns: [['chosen'], ['rejected']],
  convert(row) {
    const { chosen, prompt } = row
    const before: readonly Turn[] = Array.isArray(prompt)
      ? (prompt as Turn[])
      : [textIn(row, PROMPTS)].flatMap((text) =>
          text === undefined ? [] : [{ role: 'user', content: text }],
        )
    if (typeof chosen === 'string') {
      if (before.length === 0) return { why: 'its chosen reply stands without a prompt' }
      return conversationOf([...before, { role: 'assistant', content: chosen }])
    }
    if (!Array.isArray(chosen)) return { why: 'its chosen side is neither text nor a list' }
    const turns = (chosen as unknown[]).map((each) => {
      const { role, content } = (each ?? {}) as { role?: unknown; content?: unknown }
      return { role: String(role), content }
    })
    // Some files repeat the prompt in the chosen list, others give the reply alone.
    const isWhole = turns[0]?.role !== 'assistant'
    return conversationOf(isWhole ? turns : [...before, ...turns])
  },
}
