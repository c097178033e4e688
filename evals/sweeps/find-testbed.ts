/** @file The testbed of a name. */
import { nearNames, TouchstoneError } from '../errors.ts'
import type { AnyTestbed } from './testbed.ts'
import { TESTBEDS } from './testbeds/registry.ts'

export function findTestbed(name: string): AnyTestbed {
  const found = TESTBEDS.find((testbed) => testbed.name === name)
  if (found) return found
  const known = TESTBEDS.map((testbed) => testbed.name)
  throw new TouchstoneError('usage.unknown-name', {
    kind: 'testbed',
    name,
    near: nearNames(name, known),
    known,
  })
}
