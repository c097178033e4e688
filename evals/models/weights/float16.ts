/** @file One float16 of a block as float32, by the table of all its values. */
import { HALVES } from '../../native/halves.ts'

export const halfAt = (bytes: Uint8Array, at: number): number =>
  HALVES[bytes[at]! | (bytes[at + 1]! << 8)]!
export const signed = (byte: number): number => (byte << 24) >> 24
