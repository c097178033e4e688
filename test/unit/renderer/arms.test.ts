/** @file Arms of one method are told apart, in words that the engine takes. */
import { expect, test } from 'vitest'
import { parseRequest } from '../../../evals/engine/kinds.ts'
import { namedArms } from '../../../renderer/forms/arms.ts'

test('the second arm of a method has a number, and the engine keeps both apart', () => {
  const arms = ['lora', 'full', 'lora'].map((name, i) => ({
    name,
    config: name === 'lora' ? { rank: 2 + i } : {},
  }))
  const methods = namedArms(arms)
  expect(methods.map(({ arm = '' }) => arm)).toEqual(['', '', 'lora-2'])
  const parsed = parseRequest('train', { model: 'pebble', data: 'house-benign', methods })
  expect(parsed).toMatchObject({
    methods: [
      { name: 'lora', config: { rank: 2 } },
      { name: 'full' },
      { name: 'lora', arm: 'lora-2', config: { rank: 4 } },
    ],
  })
})
