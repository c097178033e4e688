/** @file OpenAI's chat form, `{"messages": [{"role", "content"}, …]}`, and ShareGPT's, `{"conversations": [{"from", "value"}, …]}`. */
import { conversationOf, type Converted, type DataFormat, type Row } from '../format.ts'

const chat = (
  name: string,
  title: string,
  lists: readonly string[],
  [role, content]: readonly [string, string],
): DataFormat => ({
  name,
  title,
  columns: [lists],
  convert(row: Row): Converted {
    const list = lists.map((key) => row[key]).find(Array.isArray) as unknown[] | undefined
    if (!list) return { why: `its ${lists[0]} is no list` }
    const system = typeof row.system === 'string' && row.system !== '' ? [row.system] : []
    const turns = list.map((each) => {
      const turn = (each ?? {}) as Record<string, unknown>
      // Tool calls are in an assistant's turn without text.
      const isCall = turn.tool_calls !== undefined && typeof turn[content] !== 'string'
      return { role: isCall ? 'tool' : String(turn[role]), content: turn[content] }
    })
    return conversationOf([...system.map((text) => ({ role: 'system', content: text })), ...turns])
  },
})

export const openaiChat = chat('openai-chat', 'OpenAI chat', ['messages'], ['role', 'content'])
export const shareGpt = chat(
  'sharegpt',
  'ShareGPT',
  ['conversations', 'conversation'],
  ['from', 'value'],
)
