/** @file The text that a model is given for a conversation. */
import type { ChatTemplate } from '../checkpoint.ts'

type Messages = Parameters<ChatTemplate['render']>[0]

/** Up to where the model's reply begins. A last message of the assistant is the reply's beginning, which the model continues. */
export async function promptText(
  template: Pick<ChatTemplate, 'render'>,
  messages: Messages,
): Promise<string> {
  const last = messages.at(-1)
  const start = last?.role === 'assistant' ? last.content.trim() : ''
  const turns = start === '' ? messages : messages.slice(0, -1)
  return (await template.render(turns, { addGenerationPrompt: true })) + start
}
