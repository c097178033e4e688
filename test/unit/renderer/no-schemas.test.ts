/** What stands for zod in the page: the contract is built of it, and nothing can be checked with it. */
import { expect, test } from 'vitest'
import { z } from '../../../renderer/no-schemas.ts'

interface Schema {
  (...input: unknown[]): Schema
  readonly [name: string]: Schema
}

test('whatever the contract makes of it is there and empty, and whoever checks something fails', () => {
  const schema = z as unknown as Schema
  const made = schema['object']!({ a: schema['string']!()['min']!(1) })['default']!({})
  expect(Object.keys({ ...made['shape'] })).toEqual([])
  expect([...(made['options'] as unknown as Iterable<unknown>)]).toEqual([])
  expect(() => made['parse']!({})).toThrow('internal: the window has no schemas')
})
