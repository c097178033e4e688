/** @file Every testbed, in display order. */
import { anyTestbed, type AnyTestbed } from './testbed.ts'
import { irisMlp } from './iris-mlp.ts'
import { randomFeatures } from './random-features.ts'

export const TESTBEDS: readonly AnyTestbed[] = [anyTestbed(randomFeatures), anyTestbed(irisMlp)]
