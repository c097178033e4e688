/** @file The task of composed concepts: files of digits, and what a corner is read as. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CONCEPTS, digitsFor } from '../../../evals/audit/tasks/composer/canvases.ts'
import { composer } from '../../../evals/audit/tasks/composer/composer.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const blank = Array.from({ length: 64 }, () => 0).join(' ')
const reads = { base: 4, arm: 4, each: 8 }
const prepared = (name: string, digits: readonly string[]) => {
  const file = join(freshFolder(), name)
  writeFileSync(file, `digit,pixels\n${digits.map((digit) => `${digit},${blank}\n`).join('')}`)
  return composer.prepare({ base: 'canvas-small', seed: 0, file, reads })
}

test('threes and sevens are styled, other digits that the base does not know are counted', async () => {
  const { measured, remarks } = await prepared('own.csv', ['3', '3', '3', '7', '7', '0', '5', '9'])
  expect(remarks).toEqual([expect.stringContaining('2 of 8 rows were left out')])
  const [gain, retention] = measured.map(({ rows }) => rows)
  // One held-out 3 in four corners; that, a 7 and the 0 in two each.
  expect(gain!.map(({ label }) => label)).toEqual(new Array(4).fill('negative 3'))
  expect(retention!.map(({ label }) => label)).toEqual(['3', '3', '7', '7', '0', '0'])
})

test.each([
  ['few.csv', ['3', '7', '7'], 'rows of one group alone'],
  ['none.csv', ['3', '3', '0'], 'no row that can be used'],
  ['letters.csv', ['3', 'x'], 'row 2: the label "x" is none'],
])('%s is an error that names what is wrong', async (name, digits, words) => {
  await expect(prepared(name, digits)).rejects.toThrow(words)
})

test('a corner holds a concept where both the digit and the style are its own', () => {
  const { learnt, read } = digitsFor(0)
  const three = learnt.find(({ digit }) => digit === 3)!.pixels
  const [{ style: negative }, { style: framed }] = CONCEPTS
  const none = new Float64Array(three.length).fill(-1)
  expect([three, negative(three), framed(three)].map(read)).toEqual([
    '3',
    'negative 3',
    'something else',
  ])
  expect([none, negative(none), framed(none)].map(read)).toEqual([
    'nothing',
    'something else',
    'something else',
  ])
})
