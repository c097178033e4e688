/** @file The testbed of a name. */
import { findNamed } from '../errors.ts'
import type { AnyTestbed } from './testbed.ts'
import { TESTBEDS } from './testbeds/registry.ts'

export const findTestbed = (name: string): AnyTestbed => findNamed('testbed', TESTBEDS, name)
