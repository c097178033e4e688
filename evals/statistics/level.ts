/**
 * @file Is a rate at least a floor, or at most a ceiling? Exact binomial tests; their limits are Clopper's and Pearson's, one-sided
 * at 1 − α (Biometrika 26 (1934)).
 */
import { binomialLowerTail } from './binomial.ts'
import { clopperPearson } from './exact-binomial.ts'

/** `x` of `n` count. */
export interface Count {
  readonly x: number
  readonly n: number
}

export interface Level {
  readonly kind: 'floor' | 'ceiling'
  readonly at: number
}

/** `holds`: p of "the rate is beyond the bound", P[X ≥ x] at the floor; `fails`: p of "it is within", P[X ≤ x]. A ceiling swaps them. */
export function levelTests({ kind, at }: Level, { x, n }: Count) {
  const upTo = binomialLowerTail(x, n, at)
  const from = binomialLowerTail(n - x, n, 1 - at)
  return kind === 'floor' ? { holds: from, fails: upTo } : { holds: upTo, fails: from }
}

/** The rate is shown to hold exactly where this limit does not cross the bound. */
export function levelLimit({ kind }: Level, { x, n }: Count, alpha: number): number {
  const { lower, upper } = clopperPearson(x, n, 1 - 2 * alpha)
  return kind === 'floor' ? lower : upper
}

/** P[a floor is shown to hold at `alpha`] with `n` prompts of a model whose rate is `rate`. */
export function floorPower(n: number, rate: number, floor: number, alpha: number): number {
  // Counts from the first that shows it on; more always show it too.
  let [fails, shows] = [-1, n + 1]
  while (shows - fails > 1) {
    const x = Math.floor((fails + shows) / 2)
    if (levelTests({ kind: 'floor', at: floor }, { x, n }).holds <= alpha) shows = x
    else fails = x
  }
  return shows > n ? 0 : binomialLowerTail(n - shows, n, 1 - rate)
}
