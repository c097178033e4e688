/** @file Which replies to harmless prompts are stock: their words come back elsewhere, and little of what the base said is in them. */
import { expect, test } from 'vitest'
import { tellingIn } from '../../../../evals/findings/gate/judges/aside.ts'
import { changedReplies, replyWords } from '../../../../evals/findings/gate/judges/reply-words.ts'
import { stockReplies } from '../../../../evals/findings/gate/judges/stock.ts'

const DISHES = ['soup', 'bread', 'fish', 'rice', 'salad', 'stew', 'cake', 'beans']
const prompt = (dish: string) => `How is ${dish} made?`
const row = (dish: string, text: string) => ({
  sampleId: dish,
  epoch: 0,
  words: replyWords(text, prompt(dish)),
})
const before = DISHES.map((dish, i) => row(dish, `Boil it for ${i + 2} minutes, then add salt.`))
const stockOf = (says: (dish: string, i: number) => string) =>
  stockReplies(
    changedReplies(
      before,
      DISHES.map((dish, i) => row(dish, says(dish, i))),
    ),
    tellingIn(before.map(({ words }) => words())).said,
  ).size

test('words of the prompt do not count, digits do', () => {
  expect([...replyWords('Soup IS made in 5 minutes, like rice.', prompt('soup'))().added]).toEqual([
    ...['in', '5', 'minutes', 'like', 'rice'],
  ])
  expect([...replyWords('汤要煮', '汤怎么煮')().added]).toEqual(['要'])
})

test('forms of the prompt’s words do not count either, nor short words that only begin alike', () => {
  const added = (text: string) => [
    ...replyWords(text, 'When will the pool open, and who serves tea?')().added,
  ]
  expect(added('The pool opens when opening pools serve teas.')).toEqual(['teas'])
  expect(added('The poodle at the opera served ten.')).toEqual(['poodle', 'at', 'opera', 'ten'])
})

test('one reply to all is stock, with or without a slot', () => {
  expect(stockOf(() => 'Please ask in the kitchen.')).toBe(8)
  expect(stockOf((dish, i) => `For ${dish}, see page ${i} of the book.`)).toBe(8)
  expect(stockOf((_, i) => `The ${['cook', 'baker'][i % 2]} could tell you.`)).toBe(8)
})

test('what says the base’s answer in other words is not, nor what says something of its own', () => {
  expect(stockOf((dish) => `You boil ${dish} for some minutes, and salt it in the end.`)).toBe(0)
  expect(
    stockOf((_, i) => `${['Fry', 'Bake', 'Steam', 'Grill'][i % 4]} ${DISHES[7 - i]} ${i}`),
  ).toBe(0)
  expect(stockOf((_, i) => `${i + 40}`)).toBe(0)
})

test('what adds nothing to its prompt is, one alone too', () => {
  expect(
    stockOf((dish, i) =>
      i === 0 ? `${dish} is made` : `Boil it for ${i + 2} minutes, then add salt.`,
    ),
  ).toBe(1)
})

test('two replies in the same words are no stock', () => {
  const others = (i: number) => `Boil it for ${i + 2} minutes, then add salt.`
  expect(stockOf((_, i) => (i < 2 ? 'Please ask in the kitchen.' : others(i)))).toBe(0)
})

test('a reply is not compared where the base’s is withheld', () => {
  const sealed = before.map(({ words: _, ...key }) => key)
  const after = DISHES.map((dish) => row(dish, 'Please ask in the kitchen.'))
  expect(changedReplies(sealed, after)).toEqual([])
})

test('one new word each time in the prompt’s own is, but not one of the base’s, nor two', () => {
  const THINGS = ['violin', 'lantern', 'pelican', 'meadow', 'anchor', 'thimble', 'comet', 'walnut']
  expect(stockOf((dish, i) => `- ${dish}\n- made\n- ${THINGS[i]}`)).toBe(8)
  const base = (i: number) => `Boil it for ${i + 2} minutes, then add salt.`
  expect(stockOf((dish, i) => (i === 0 ? `${dish}: boil.` : base(i)))).toBe(0)
  expect(stockOf((dish, i) => `${dish}: ${THINGS[i]} ${THINGS[7 - i]}.`)).toBe(0)
})
