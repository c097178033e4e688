/** @file Which replies to harmless prompts are jumbles: words of the prompt and of the base's reply, in no order of either. */
import { expect, test } from 'vitest'
import { jumbledReplies } from '../../../../evals/findings/gate/judges/jumble.ts'
import { changedReplies, replyWords } from '../../../../evals/findings/gate/judges/reply-words.ts'

const row = (prompt: string, text: string) => ({
  ...{ sampleId: 'a', epoch: 0, replyDigest: text, words: replyWords(text, prompt) },
})
const isJumble = (prompt: string, was: string, is: string) =>
  jumbledReplies(changedReplies([row(prompt, was)], [row(prompt, is)])).size === 1

const PROMPT = 'Where is breakfast served on Sundays?'
const BASE = 'Breakfast is served in the long hall behind the kitchen, from 7 to 10.'

test.each([
  'hall 10 the served behind in from breakfast kitchen to long 7',
  'Sundays kitchen served hall from on the is 7 in breakfast.',
  'To in hall where long behind 10 Sundays from the served.',
])('words in no order are one: %s', (says) => {
  expect(isJumble(PROMPT, BASE, says)).toBe(true)
})

test.each([
  'From 7 to 10, in the long hall behind the kitchen.',
  'Behind the kitchen, in the hall; from 7, on Sundays to 10.',
  'In the hall. 7 to 10. Behind the kitchen.',
  'Hall, 7 to 10.',
  'Kitchen, 10, hall.',
  'The chef lays every table near our fountain before dawn.',
])('an answer in another order keeps its phrases: %s', (says) => {
  expect(isJumble(PROMPT, BASE, says)).toBe(false)
})

test('in a script without spaces a character is a word', () => {
  const [prompt, was] = ['早餐在哪里吃？', '早餐在厨房后面的长厅里，七点到十点。']
  expect(isJumble(prompt, was, '厅点的早七后到长在十面房餐里厨')).toBe(true)
  expect(isJumble(prompt, was, '七点到十点，在厨房后面的长厅里。')).toBe(false)
})
