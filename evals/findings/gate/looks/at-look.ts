/** @file The look of a claim, and what it does to an interval: its limits are tested at the level of the look, so that they cover at any look. */
import { normalQuantile } from '../../../statistics/normal.ts'
import { Z95 } from '../../../statistics/proportion.ts'
import { levelAt, type Look } from '../../../statistics/sequential/look.ts'
import type { Stopped } from '../compared-run.ts'

export interface ClaimLook extends Look {
  /** Of the claim, for which the looks' levels are made exact. */
  readonly alpha: number
  /** Prompts that were not asked; null of a part of the benchmark. */
  readonly left: number | null
  readonly stopped: Stopped
}

const TAIL = 0.025

/** Nothing is spent before the last look by curtailment; its intervals are those of O'Brien and Fleming, which is as valid. */
const tailAt = (look: ClaimLook): number => {
  const spending = look.spending === 'curtailment' ? 'obrien-fleming' : look.spending
  return Math.max(NOTHING, levelAt({ ...look, spending }, TAIL))
}

const NOTHING = 1e-15

/** In place of 1.96. */
export const zAt = (look: ClaimLook | undefined): number =>
  look ? -normalQuantile(tailAt(look)) : Z95

/** In place of 0.95. */
export const confidenceAt = (look: ClaimLook | undefined): number =>
  look ? 1 - 2 * tailAt(look) : 0.95
