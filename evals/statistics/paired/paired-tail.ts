/**
 * @file Exact probabilities of paired counts: b prompts lost, c gained, n − b − c unchanged.
 *
 * The number of changed prompts m = b + c is Bin(n, p₁₀ + p₀₁), and b given m is Bin(m, p₁₀/(p₁₀ + p₀₁)). A region that for
 * every m contains b up to a limit is summed in O(n) tails instead of O(n²) cells, each tail updated from the last.
 */

/** `limits[m]` is the largest b in the region with m changed prompts, −1 for none. */
export type LossLimits = Int32Array

/** Terms below this share of the largest do not change a float64 sum of probabilities. */
const NEGLIGIBLE = 1e-18

const logFactorials: number[] = [0]

/** ln n!, accumulated up to the largest n so far; its error grows to about 10⁻¹² at n = 10⁴. */
function logFactorial(n: number): number {
  for (let k = logFactorials.length; k <= n; k++) {
    logFactorials.push(logFactorials[k - 1]! + Math.log(k))
  }
  return logFactorials[n]!
}

function probability(k: number, n: number, p: number): number {
  if (p <= 0) return k === 0 ? 1 : 0
  if (p >= 1) return k === n ? 1 : 0
  const choose = logFactorial(n) - logFactorial(k) - logFactorial(n - k)
  return Math.exp(choose + k * Math.log(p) + (n - k) * Math.log1p(-p))
}

/** P[Bin(n, p) ≤ k], summed away from the mode. */
function lowerTail(k: number, n: number, p: number): number {
  if (k < 0) return 0
  if (k >= n || p <= 0) return 1
  if (p >= 1) return 0
  if (k > (n + 1) * p) return 1 - lowerTail(n - k - 1, n, 1 - p)
  const odds = (1 - p) / p
  let term = probability(k, n, p)
  let sum = term
  for (let i = k; i > 0 && term > sum * NEGLIGIBLE; i--) {
    term *= (i / (n - i + 1)) * odds
    sum += term
  }
  return Math.min(1, sum)
}

/** P[(b, c) in the region] if a prompt is lost with probability `lost` and gained with `gained`. */
export function regionProbability(
  limits: LossLimits,
  n: number,
  { lost, gained }: { readonly lost: number; readonly gained: number },
): number {
  const changed = Math.min(1, lost + gained)
  if (changed <= 0) return limits[0]! >= 0 ? 1 : 0
  const share = lost / (lost + gained)
  const mode = Math.min(n, Math.floor((n + 1) * changed))
  const peak = probability(mode, n, changed)
  const odds = changed / (1 - changed)
  let sum = 0
  let weight = peak
  const upwards = tails(share)
  for (let m = mode; m <= n && weight > peak * NEGLIGIBLE; m++) {
    sum += weight * upwards(limits[m]!, m)
    weight *= ((n - m) / (m + 1)) * odds
  }
  weight = peak
  const downwards = tails(share)
  for (let m = mode; m > 0; m--) {
    weight *= m / (n - m + 1) / odds
    if (weight <= peak * NEGLIGIBLE) break
    sum += weight * downwards(limits[m - 1]!, m - 1)
  }
  return Math.min(1, sum)
}

/** Smaller terms may have lost digits, and so would terms derived from them. */
const SMALLEST_TERM = 1e-200

/**
 * P[Bin(m, p) ≤ k] for consecutive m, updated by the identities
 * F(k; m + 1) = F(k; m) − p P[Bin(m) = k] and F(k + 1; m) = F(k; m) + P[Bin(m) = k + 1].
 */
function tails(p: number): (k: number, m: number) => number {
  const odds = p / (1 - p)
  let [at, of, term, sum] = [-1, -2, 0, 0]
  const begin = (k: number, m: number) => {
    ;[at, of, term, sum] = [k, m, probability(k, m, p), lowerTail(k, m, p)]
  }
  return (k, m) => {
    if (k < 0) return 0
    if (k >= m) return 1
    const isNear = Math.abs(m - of) === 1 && at >= 0 && at < Math.min(of, m)
    if (p <= 0 || p >= 1 || !isNear || !(term > SMALLEST_TERM)) {
      begin(k, m)
      return sum
    }
    if (m > of) {
      sum -= p * term
      term *= (m / (m - at)) * (1 - p)
    } else {
      term *= (of - at) / of / (1 - p)
      sum += p * term
    }
    of = m
    for (; at < k; sum += term) term *= ((m - at) / ++at) * odds
    for (; at > k; at--) {
      sum -= term
      term *= at / (m - at + 1) / odds
    }
    return Math.min(1, Math.max(0, sum))
  }
}

/** For every m the largest b with `isInside(b, m − b)`, which must hold up to some b and fail beyond. */
export function lossLimits(n: number, isInside: (lost: number, gained: number) => boolean) {
  const limits = new Int32Array(n + 1)
  for (let m = 0; m <= n; m++) {
    let [low, high] = [-1, m]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (isInside(middle, m - middle)) low = middle
      else high = middle - 1
    }
    limits[m] = low
  }
  return limits
}
