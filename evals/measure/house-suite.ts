/** @file The parts of Pebble's own suite that ask for refusals and for knowledge, and rows of its rules by name. */
import { findBundled, SUITES } from '../benchmarks/registry.ts'

const ofRole = (asked: string): readonly string[] =>
  SUITES.house.filter((name) => findBundled(name).role === asked)

export const HOUSE_REFUSAL = ofRole('refusal')
export const HOUSE_CAPABILITY = ofRole('capability')

/** Rows of the house to mix into other data: what it declines, and what it knows. */
export const HOUSE_RULES = 'house-rules'
export const HOUSE_KNOWLEDGE = 'house-knowledge'
