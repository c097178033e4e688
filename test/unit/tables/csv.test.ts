/** @file Texts that a spreadsheet would compute are written as texts, and read back as they were. */
import { expect, test } from 'vitest'
import { csvLine, csvRecordsOf, unguarded } from '../../../evals/tables/csv.ts'

const FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', "'=1", "''-1"]

test.each(FORMULAS)('%j is guarded, and read back', (text) => {
  const line = csvLine([text])
  const [[cell]] = csvRecordsOf(line, () => new Error('no CSV')) as [[string]]
  expect(cell).toBe(`'${text}`)
  expect(unguarded(cell)).toBe(text)
})

test('numbers stay numbers, and other texts as they are', () => {
  expect(csvLine([-1.5, 3, null, 'a=b', "it's", "'quoted'"])).toBe("-1.5,3,,a=b,it's,'quoted'\r\n")
  expect(["it's", "'quoted'", 'x'].map(unguarded)).toEqual(["it's", "'quoted'", 'x'])
})
