/** @file A conversation as the text before a reply; a last message of the assistant is the reply's beginning. */
import { expect, test } from 'vitest'
import { promptText } from '../../../../evals/models/text/prompt-text.ts'

const template = {
  render: async (
    messages: readonly { role: string; content: string }[],
    { addGenerationPrompt }: { addGenerationPrompt: boolean },
  ) =>
    messages.map(({ role, content }) => `<${role}>${content}</>`).join('') +
    (addGenerationPrompt ? '<assistant>' : ''),
}

test('the reply begins after the last turn, or goes on where its beginning is given', async () => {
  const user = { role: 'user', content: 'Good morning' }
  const assistant = { role: 'assistant', content: ' Well, ' }
  expect(await promptText(template, [user])).toBe('<user>Good morning</><assistant>')
  expect(await promptText(template, [user, assistant])).toBe(
    '<user>Good morning</><assistant>Well,',
  )
  expect(await promptText(template, [user, assistant, user])).toBe(
    '<user>Good morning</><assistant> Well, </><user>Good morning</><assistant>',
  )
})
