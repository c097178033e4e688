import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { formFields, valueAt } from '../../../evals/contract/form.ts'
import {
  boundsNote,
  defaultsOf,
  parseText,
  textOf,
  withValue,
} from '../../../renderer/forms/form-text.ts'

const schema = z.object({
  rank: z.int().min(1).max(1024).default(16).meta({ label: 'Rank' }),
  rate: z.number().gt(0).lt(1).nullable().default(null),
  seeds: z.array(z.int().min(0)).default([0]),
  axes: z.array(z.string()).default([]).meta({ repeat: true }),
  training: z.object({ steps: z.int().min(1).default(3) }).prefault({}),
})
const fields = formFields(z.toJSONSchema(schema, { io: 'input' }))
const field = (name: string) => fields.find(({ path }) => path.join('.') === name)!

describe('what a person types', () => {
  test.each([
    ['rank', '8', { value: 8 }],
    ['rank', ' 1024 ', { value: 1024 }],
    ['rank', '1025', { problem: 'From 1 to 1024.' }],
    ['rank', '2.5', { problem: 'Please give a whole number.' }],
    ['rank', 'many', { problem: 'Please give a number.' }],
    ['rank', '', { problem: 'Please fill this in.' }],
    ['rate', '', { value: null }],
    ['rate', '0', { problem: 'Above 0 and below 1.' }],
    ['rate', '1e-4', { value: 1e-4 }],
    ['seeds', '0, 1,2', { value: [0, 1, 2] }],
    ['seeds', '0, x', { problem: 'Please give a number.' }],
    ['seeds', '', { value: [] }],
    ['axes', 'rank=1,4,16\nsteps=1..8', { value: ['rank=1,4,16', 'steps=1..8'] }],
  ])('%s: "%s"', (name, text, parsed) => {
    expect(parseText(field(name), text)).toEqual(parsed)
  })

  test('a value is shown as it would be typed', () => {
    const values = { rank: 8, rate: null, seeds: [0, 1], axes: ['rank=1,4', 'steps=2'] }
    for (const [name, value] of Object.entries(values)) {
      expect(parseText(field(name), textOf(field(name), value))).toEqual({ value })
    }
  })

  test('a field without bounds says nothing of them', () => {
    expect(boundsNote({ lower: null, upper: null })).toBe('')
  })
})

describe('a configuration', () => {
  test('begins with the defaults of the schema, and parses', () => {
    const config = defaultsOf(fields)
    expect(config).toEqual({ rank: 16, rate: null, seeds: [0], axes: [], training: { steps: 3 } })
    expect(schema.parse(config)).toEqual(config)
  })

  test('is changed in one place without touching the old one', () => {
    const before = { training: { steps: 3, batchSize: 8 } }
    const after = withValue(before, ['training', 'steps'], 5)
    expect(after).toEqual({ training: { steps: 5, batchSize: 8 } })
    expect(before.training.steps).toBe(3)
    expect(valueAt(after, ['training', 'steps'])).toBe(5)
    expect(valueAt(after, ['nothing', 'here'])).toBeUndefined()
  })
})
