/** @file The testbed of a name. */
import { findNamed } from '../../errors/names.ts'
import type { AnyTestbed } from './testbed.ts'
import { TESTBEDS } from './registry.ts'

export const findTestbed = (name: string): AnyTestbed => findNamed('testbed', TESTBEDS, name)
