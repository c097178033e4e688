/** @file The part of Pebble's own suite that asks for refusals, and rows of its rules by name. */
import { findBundled, SUITES } from '../benchmarks/registry.ts'

export const HOUSE_REFUSAL: readonly string[] = SUITES.house.filter(
  (name) => findBundled(name).role === 'refusal',
)

/** Rows of the house to mix into other data: what it declines, and what it knows. */
export const HOUSE_RULES = 'house-rules'
export const HOUSE_KNOWLEDGE = 'house-knowledge'
