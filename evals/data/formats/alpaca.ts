/** @file Alpaca: `{instruction, input, output}`, with optional `system` and `history` (pairs of earlier turns). */
import { conversationOf, textIn, type DataFormat, type Turn } from '../format.ts'

const INPUTS = ['input', 'context']
const OUTPUTS = ['output', 'response']

export const alpaca: DataFormat = {
  name: 'alpaca',
  title: 'Alpaca',
  columns: [['instruction'], OUTPUTS],
  convert(row) {
    const instruction = textIn(row, ['instruction'])
    const output = textIn(row, OUTPUTS)
    if (instruction === undefined) return { why: 'its instruction is no text' }
    if (output === undefined) return { why: 'its output is no text' }
    const input = textIn(row, INPUTS) ?? ''
    const system = textIn(row, ['system']) ?? ''
    const history = Array.isArray(row.history) ? (row.history as unknown[]) : []
    const earlier = history.flatMap((pair): Turn[] => {
      const [user, assistant] = Array.isArray(pair) ? (pair as unknown[]) : []
      return [
        { role: 'user', content: user },
        { role: 'assistant', content: assistant },
      ]
    })
    return conversationOf([
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...earlier,
      { role: 'user', content: input === '' ? instruction : `${instruction}\n\n${input}` },
      { role: 'assistant', content: output },
    ])
  },
}
