/** @file Every testbed, in display order. */
import type { AnyTestbed } from '../testbed.ts'

export const TESTBEDS: readonly AnyTestbed[] = []
