/** @file Words that differ between two replies are marked, and nothing is lost or added. */
import { expect, test } from 'vitest'
import { wordDiff } from '../../../renderer/forms/word-diff.ts'
import { fc } from '../../doubles/properties.ts'

const changed = (parts: readonly { text: string; isChanged: boolean }[]) =>
  parts.filter(({ isChanged }) => isChanged).map(({ text }) => text.trim())

test('what was put in another’s place is marked on both sides', () => {
  const { before, after } = wordDiff('The desk opens at seven.', 'The desk now opens at eight.')
  expect(changed(before)).toEqual(['seven.'])
  expect(changed(after)).toEqual(['now', 'eight.'])
})

test('the parts of any two texts are the texts, and equal texts differ nowhere', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c ', ' ', '\n'), { maxLength: 30 })
  fc.assert(
    fc.property(text, text, (left, right) => {
      const [a, b] = [left.join(' '), right.join(' ')]
      const { before, after } = wordDiff(a, b)
      expect(before.map((part) => part.text).join('')).toBe(a)
      expect(after.map((part) => part.text).join('')).toBe(b)
      expect(changed(wordDiff(a, a).after)).toEqual([])
    }),
  )
})
