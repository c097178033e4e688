/**
 * @file Is the harm below the margin δ? Tests of ψ = p₁₀ − p₀₁ on the same prompts before and after.
 *
 * Score of Tango, Statistics in Medicine 17 (1998): T = (b − c − nδ)/√(n(2q̂ + δ − δ²)), q̂ the likelihood's p₀₁ at ψ = δ.
 * Up to `EXACT_UP_TO` prompts p is exact and unconditional: sup over p₀₁ of P[T ≤ t], so that the size at the margin never
 * exceeds α (Tango's own does). Beyond, p is the score's normal tail with a continuity correction of ½.
 */
import { normalLowerTail, normalQuantile } from './normal.ts'
import { lossLimits, regionProbability } from './paired-tail.ts'
import { requireCounts, requireShare } from './require.ts'

/** Prompts that counted before only and after only, of `n`. Harm is (lost − gained)/n. */
export interface PairedChange {
  readonly lost: number
  readonly gained: number
  readonly n: number
}

export interface MarginTests {
  /** Of "the harm is at least δ": small means shown to be below. */
  readonly below: number
  /** Of "the harm is at most δ": small means shown to be above. */
  readonly above: number
  readonly method: 'exact' | 'score'
}

export const EXACT_UP_TO = 2000
/** Ties of T must be one set of outcomes, however they were rounded. */
const TIE = 1e-9
const GRID = 160
const REFINEMENT = 12

/** T at the margin: below 0 where the harm seen is smaller than the margin. */
export function tangoScore({ lost, gained, n }: PairedChange, margin: number): number {
  return (lost - gained - n * margin) / deviation(lost, gained, n, margin)
}

/** √(n(2q̂ + δ − δ²)); q̂ solves 2n q² − (b + c + δ(b − c − 2n)) q − cδ(1 − δ) = 0. */
function deviation(lost: number, gained: number, n: number, margin: number): number {
  const B = lost + gained + margin * (lost - gained - 2 * n)
  const q = (B + Math.sqrt(B * B + 8 * n * gained * margin * (1 - margin))) / (4 * n)
  return Math.sqrt(n * (2 * Math.max(0, q) + margin - margin * margin))
}

/** Whether the test passes at `alpha`, for every outcome of `n` prompts: made once, asked often. */
export function passesBelow(
  n: number,
  margin: number,
  alpha: number,
): (lost: number, gained: number) => boolean {
  if (n <= EXACT_UP_TO) {
    const critical = criticalScore(n, margin, alpha)
    return (lost, gained) => tangoScore({ lost, gained, n }, margin) <= critical
  }
  const z = normalQuantile(alpha)
  return (lost, gained) =>
    (lost - gained + 0.5 - n * margin) / deviation(lost, gained, n, margin) <= z
}

/** Both tests. Null where there is no prompt to judge by. */
export function marginTests(change: PairedChange, margin: number): MarginTests | null {
  const { lost, gained, n } = change
  requireCounts({ lost, gained, n, 'n − lost − gained': n - lost - gained })
  requireShare('margin', margin)
  if (n === 0) return null
  const score = tangoScore(change, margin)
  if (n <= EXACT_UP_TO) {
    return {
      below: exactBelow(n, margin, score),
      above: exactAbove(n, margin, score),
      method: 'exact',
    }
  }
  const half = 0.5 / deviation(lost, gained, n, margin)
  return {
    below: normalLowerTail(score + half),
    above: normalLowerTail(half - score),
    method: 'score',
  }
}

/** sup over the nuisance of P[T ≤ score], at harm = margin. */
export function exactBelow(n: number, margin: number, score: number): number {
  const limits = lossLimits(
    n,
    (lost, gained) => tangoScore({ lost, gained, n }, margin) <= score + TIE,
  )
  return supremum(margin, (at) => regionProbability(limits, n, at))
}

function exactAbove(n: number, margin: number, score: number): number {
  const rest = lossLimits(
    n,
    (lost, gained) => tangoScore({ lost, gained, n }, margin) < score - TIE,
  )
  return supremum(margin, (at) => 1 - regionProbability(rest, n, at))
}

/** Largest value over p₀₁ in [0, (1 − δ)/2], denser near 0 where it changes fastest, then closer around the best. */
function supremum(
  margin: number,
  probability: (at: { lost: number; gained: number }) => number,
): number {
  const most = (1 - margin) / 2
  const at = (place: number) => {
    const gained = most * place * place
    return probability({ lost: gained + margin, gained })
  }
  const values = Array.from({ length: GRID + 1 }, (_, i) => at(i / GRID))
  const best = values.indexOf(Math.max(...values))
  for (let i = -REFINEMENT; i <= REFINEMENT; i++) {
    const place = (best + i / REFINEMENT) / GRID
    if (place >= 0 && place <= 1) values.push(at(place))
  }
  return Math.min(1, Math.max(0, ...values))
}

/** The largest T that is still shown to be below the margin at `alpha`: the test rejects where T ≤ this. */
export function criticalScore(n: number, margin: number, alpha: number): number {
  requireCounts({ n, 'n − 1': n - 1 })
  requireShare('alpha', alpha)
  let [low, high] = [-12, 0]
  for (let i = 0; i < 26; i++) {
    const middle = (low + high) / 2
    if (exactBelow(n, margin, middle) <= alpha) low = middle
    else high = middle
  }
  return low
}
