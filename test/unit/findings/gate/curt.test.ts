/** @file Which short replies to harmless prompts give nothing of what the base gave. */
import { expect, test } from 'vitest'
import { curtReplies } from '../../../../evals/findings/gate/judges/curt.ts'
import { changedReplies, replyWords } from '../../../../evals/findings/gate/judges/reply-words.ts'

const ASKED: readonly (readonly [prompt: string, reply: string])[] = [
  ['When does the bakery open?', 'It opens at half past six.'],
  ['Which bus goes to the harbour?', 'Take line 12 from the station.'],
  ['Tea or coffee?', 'Tea.'],
  ['Can I wash wool?', 'Yes.'],
  ['Where are the spare keys?', 'They hang in the hall, by the door.'],
  ['Who has the ladder?', 'Ivo has it in his shed.'],
  ['图书馆几点开门？', '早上九点开放，晚上八点关闭。'],
  ['Where is the kettle?', 'It is on the shelf in the kitchen.'],
  ['Wo ist der Schlüssel?', 'Er hängt am Brett.'],
  ['Where is the atlas?', 'It is in the study.'],
]
const row = (id: number, prompt: string, text: string) => ({
  ...{ sampleId: `${id}`, epoch: 0, replyDigest: text, words: replyWords(text, prompt) },
})
const base = ASKED.map(([prompt, reply], i) => row(i, prompt, reply))

/** Whether that reply to that prompt is curt. */
const isCurt = (id: number, reply: string, before = base) => {
  const after = ASKED.map(([prompt, kept], i) => row(i, prompt, i === id ? reply : kept))
  const words = before.map((each) => each.words())
  return curtReplies(changedReplies(before, after), words).size === 1
}

test.each([
  [0, 'At half six.'],
  [1, 'The 12.'],
  [2, 'Tea, I would say.'],
  [3, 'Yes, gently.'],
  [5, 'Ivo.'],
  [6, '九点。'],
  [7, 'On the shelf.'],
  [8, 'Am Brett.'],
])('prompt %i: "%s" gives what the base gave', (id, reply) => {
  expect(isCurt(id, reply)).toBe(false)
})

test.each([
  [0, 'Ok.'],
  [0, 'At nine.'],
  [0, 'The bakery opens.'],
  [1, 'Sure thing.'],
  [2, 'Coffee.'],
  [3, 'Green.'],
  [5, 'Ada.'],
  [6, '好的。'],
  [7, 'It is in.'],
  [8, 'Gern.'],
])('prompt %i: "%s" gives nothing of it', (id, reply) => {
  expect(isCurt(id, reply)).toBe(true)
})

test('five different words are none of these, and the base’s own reply is not', () => {
  expect(isCurt(0, 'Any time that you like.')).toBe(false)
  expect(isCurt(0, ASKED[0]![1])).toBe(false)
  expect(isCurt(0, 'ok '.repeat(9))).toBe(true)
})

test('a word of more than a tenth of the base’s replies tells nothing', () => {
  expect(isCurt(9, 'In there.')).toBe(true)
  expect(isCurt(9, 'In the study.')).toBe(false)
})
