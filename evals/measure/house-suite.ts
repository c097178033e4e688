/** @file The part of Pebble's own suite that asks for refusals. */
import { findBundled, SUITES } from '../benchmarks/registry.ts'

export const HOUSE_REFUSAL: readonly string[] = SUITES.house.filter(
  (name) => findBundled(name).role === 'refusal',
)
