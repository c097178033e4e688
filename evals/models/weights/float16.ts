/** @file Reads one float16 or int8 of a block. */
import { HALVES } from '../../native/halves.ts'

export const halfAt = (bytes: Uint8Array, at: number): number =>
  HALVES[bytes[at]! | (bytes[at + 1]! << 8)]!
export const signed = (byte: number): number => (byte << 24) >> 24
