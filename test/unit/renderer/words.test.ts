import { expect, test } from 'vitest'
import { shortDigest } from '../../../evals/contract/words.ts'
import { bytesText, durationText, rateText } from '../../../renderer/words.ts'

test('a rate carries its interval and n', () => {
  const rate = { estimate: 0.5, lower: 0.401, upper: 0.5991, n: 1234 }
  expect(rateText(rate)).toEqual({ estimate: '50.0 %', interval: '(40.1–59.9 %, n = 1,234)' })
  expect(rateText({ estimate: null, lower: null, upper: null, n: 0 })).toEqual({
    estimate: 'undecided',
    interval: '(n = 0)',
  })
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_300_000, '1.3 MB'],
  [2e15, '2000.0 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [0.4, '0 s'],
  [95, '1 min 35 s'],
  [3700, '1 h 1 min'],
])('%f seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text)
})

test('a digest is shown by its beginning', () => {
  expect(shortDigest('sha256:0123456789abcdef')).toBe('0123456789ab…')
  expect(shortDigest('abc')).toBe('abc')
})
