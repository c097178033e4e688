/** @file The law of the error table: each entry has a stable code, and says in sentences what happened and what to do. */
import { describe, expect, test } from 'vitest'
import { ERRORS, TouchstoneError, type ErrorCode } from '../../evals/errors/touchstone-error.ts'
import { nearNames } from '../../evals/errors/names.ts'

/** Serves as a string, a number and a list: joins, counts and prints. */
const anything = new Proxy<Record<string, unknown>>(
  {},
  {
    get: (_, field) =>
      field === 'remedy' || field === 'problem' ? 'A sentence of the caller.' : ['8'],
  },
)
const codes = Object.keys(ERRORS) as ErrorCode[]

describe.each(codes)('%s', (code) => {
  const error = new TouchstoneError(code, anything as never)

  test('has a dotted code', () => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/)
    expect(error.code).toBe(code)
  })

  test('says what happened, with its values', () => {
    expect(error.message).toMatch(/[.?]$/)
    expect(error.message).not.toMatch(/undefined|NaN|\[object|\n/)
  })

  test('says what to do, in a sentence', () => {
    expect(error.remedy).toMatch(/^[A-Z]/)
    expect(error.remedy).toMatch(/[.?]$|--[a-z-]+ [A-Z]+\.$/)
    expect(error.remedy).not.toMatch(/undefined|NaN|\[object|\n/)
  })
})

test('near names come nearest first, at most three, and not at all when far', () => {
  expect(nearNames('lroa', ['dora', 'lora', 'full', 'loha', 'lokr'])).toEqual([
    'lora',
    'loha',
    'dora',
  ])
  expect(nearNames('lora', ['lora'])).toEqual(['lora'])
  expect(nearNames('quantisation', ['lora', 'full'])).toEqual([])
})
