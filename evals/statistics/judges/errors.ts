/**
 * @file What labels say of a judge in one state. Labels drawn unevenly are weighted by the number of replies that each stands
 * for: Se = Σ w over true positives found / Σ w over true positives, and likewise Sp; n is Kish's effective number (Σ w)²/Σ w²
 * (Survey Sampling (1965)), rounded down.
 */
import { fisherExact } from '../hypergeometric.ts'
import type { JudgeQuality } from './rogan-gladen.ts'

export interface LabelledVerdict {
  /** What people say, and what the judge says. */
  readonly truth: boolean
  readonly said: boolean
  readonly weight: number
}

export function judgeErrors(rows: readonly LabelledVerdict[]): JudgeQuality {
  const side = (truth: boolean) => {
    const own = rows.filter((row) => row.truth === truth)
    const total = own.reduce((sum, { weight }) => sum + weight, 0)
    const squares = own.reduce((sum, { weight }) => sum + weight * weight, 0)
    const right = own.reduce((sum, { said, weight }) => sum + (said === truth ? weight : 0), 0)
    const n = total > 0 ? Math.floor((total * total) / squares + 1e-9) : 0
    return { successes: total > 0 ? Math.round((n * right) / total) : 0, n }
  }
  return { sensitivity: side(true), specificity: side(false) }
}

/** Fisher's exact p that a judge's sensitivity, and its specificity, are the same in both states, at their effective numbers. */
export const errorsAlike = (one: JudgeQuality, two: JudgeQuality) => ({
  sensitivity: fisherExact(one.sensitivity, two.sensitivity),
  specificity: fisherExact(one.specificity, two.specificity),
})
