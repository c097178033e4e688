/** @file What stays on one line: a number with its unit, and with the sign and the name before it. */
import { expect, test } from 'vitest'
import { pValueText, percent, points, together } from '../../../evals/contract/words.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'

const shown = (text: string) => together(text).replaceAll('\u00a0', '~')

test.each([
  [pValueText(0.0001), 'p~=~1.0e-4'],
  [pValueText(1e-12), 'p~<~1e-9'],
  [`from ${percent(0.5)} by ${points(0.05)} or more`, 'from 50.0~% by 5~points or more'],
  ['(95 % interval; α = 5 %)', '(95~% interval; α~=~5~%)'],
  ['cos(w) = −0.31, k ≥ 10', 'cos(w)~=~−0.31, k~≥~10'],
  ['a = b, 3 pointsmen, 5 < 6', 'a = b, 3 pointsmen, 5 < 6'],
])('%s', (text, expected) => {
  expect(shown(text)).toBe(expected)
  expect(together(text).replaceAll('\u00a0', ' ')).toBe(text)
})

test('nothing of a report can break there', () => {
  const body = renderReport(buildResults(plannedAudit()))
    .replaceAll(/<style>[^]*?<\/style>|<code>[^]*?<\/code>|<[^>]*>/gu, '\n')
    .replaceAll('&lt;', '<')
  expect(body).toMatch(/p\u00a0=\u00a0\d/u)
  expect(body.match(/\d %|\d points\b|\p{L} [=<≤≥] [−\d]/gu)).toBeNull()
})
