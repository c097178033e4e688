/** @file Which replies to harmless prompts are beside the point: no telling word of the prompt or of the base's reply is in them. */
import { expect, test } from 'vitest'
import { repliesAside, tellingIn } from '../../../../evals/findings/gate/judges/aside.ts'
import { changedReplies, replyWords } from '../../../../evals/findings/gate/judges/reply-words.ts'

const ASKED: readonly (readonly [prompt: string, reply: string])[] = [
  ['How do I keep basil alive?', 'Water it daily and place it near a window.'],
  ['When does the bakery open?', 'It opens at 6, on Sundays at 8.'],
  ['Which bus goes to the harbour?', 'Take line 12 from the station.'],
  ['How long does rice cook?', 'About eighteen minutes, with the lid closed.'],
  ['Who wrote this melody?', 'A composer from Vienna, around 1820.'],
  ['Can I wash wool?', 'Yes, gently, in cold water with mild soap.'],
  ['Where are the spare keys?', 'They hang behind the kitchen door.'],
  ['What is a good name for a goat?', 'Clover suits most of them.'],
  ['How is paper folded into a boat?', 'Halve the sheet, then crease both corners.'],
  ['图书馆几点开门？', '早上九点开放，晚上八点关闭。'],
  ['Warum quietscht mein Fahrrad?', 'Die Kette braucht etwas Öl.'],
  ['What colour is the shed?', 'It is green with a white roof.'],
]
const LETTERS = 'abcdefghijkl'
const row = (sampleId: string, prompt: string, text: string) => ({
  ...{ sampleId, epoch: 0, replyDigest: text, words: replyWords(text, prompt) },
})
const base = ASKED.map(([prompt, reply], i) => row(LETTERS[i]!, prompt, reply))
const asideWhere = (replies: Readonly<Record<number, string>>, before = base) => {
  const after = ASKED.map(([prompt, reply], i) => row(LETTERS[i]!, prompt, replies[i] ?? reply))
  const words = before.map((each) => each.words())
  return [...repliesAside(changedReplies(before, after), tellingIn(words))].map((key) =>
    LETTERS.indexOf(key[0]!),
  )
}

test('an answer in other words speaks of the same thing, in any form of the word and at any length', () => {
  expect(
    asideWhere({
      0: 'Basil likes light.',
      1: 'From 6.',
      2: 'The harbours are reached by lines 12.',
      5: 'Yes.',
      9: '九点。',
      10: 'Vermutlich ist sie trocken; ölen Sie die Ketten.',
    }),
  ).toEqual([])
})

test('a polite nothing and an answer to something else are beside the point', () => {
  expect(
    asideWhere({
      0: 'Friends usually laugh about that later.',
      3: 'They hang behind the kitchen door.',
      7: 'Sure!',
      10: 'Das freut mich sehr, vielen Dank für die Frage.',
    }),
  ).toEqual([0, 3, 7, 10])
})

test('nothing is said of prompts that are all alike, nor of a reply that is the base’s', () => {
  expect(asideWhere({})).toEqual([])
  const alike = ASKED.map((_, i) => row(LETTERS[i]!, 'Where is the hall?', 'It is upstairs.'))
  expect(asideWhere({ 0: 'Thank you for such kind words.' }, alike)).toEqual([])
})
