/**
 * @file Paired counts prompt by prompt, exactly: the whole table P[lost = b, gained = c, went on], carried from look to look, and
 * the looks' critical scores that keep the size.
 */
import { tangoScore } from '../paired/non-inferiority.ts'

interface Shares {
  readonly lost: number
  readonly gained: number
}

/** A count lies beyond this many standard deviations and `ROOM` of its mean with a probability that no sum shows. */
const REACH = 8.5
const ROOM = 24

const mostOf = (n: number, share: number) =>
  Math.min(n, Math.ceil(n * share + REACH * Math.sqrt(n * share * (1 - share))) + ROOM)

interface CarriedTable {
  /** Asks on, up to `n` prompts of at most those of the table. */
  advance(n: number): void
  /** Every outcome that went on, with its probability; where `visit` says so it stops there. */
  stopWhere(visit: (lost: number, gained: number, probability: number) => boolean): void
}

/** `most` prompts, each lost and gained with these probabilities. */
export function carriedTable(most: number, { lost, gained }: Shares): CarriedTable {
  const [rows, columns] = [mostOf(most, lost), mostOf(most, gained)]
  const width = columns + 1
  const cells = new Float64Array((rows + 1) * width)
  cells[0] = 1
  const same = Math.max(0, 1 - lost - gained)
  let n = 0
  // f(b, c) ← f(b, c)(1 − p₁₀ − p₀₁) + f(b − 1, c) p₁₀ + f(b, c − 1) p₀₁, in place from the largest counts down.
  const oneMore = () => {
    n++
    for (let b = Math.min(n, rows); b >= 0; b--) {
      const row = b * width
      for (let i = row + Math.min(n - b, columns); i > row; i--) {
        const above = b > 0 ? cells[i - width]! * lost : 0
        cells[i] = cells[i]! * same + above + cells[i - 1]! * gained
      }
      cells[row] = cells[row]! * same + (b > 0 ? cells[row - width]! * lost : 0)
    }
  }
  return {
    advance: (to) => {
      while (n < to) oneMore()
    },
    stopWhere: (visit) => {
      for (let b = 0; b <= Math.min(n, rows); b++) {
        for (let c = 0; c <= Math.min(n - b, columns); c++) {
          const i = b * width + c
          if (cells[i]! > 0 && visit(b, c, cells[i]!)) cells[i] = 0
        }
      }
    },
  }
}

const GRID = 48

/** p₀₁ in [0, (1 − δ)/2], denser near 0, as in the test of one look; p₁₀ is δ more. */
const placesOf = (margin: number): Shares[] =>
  Array.from({ length: GRID + 1 }, (_, i) => {
    const gained = ((1 - margin) / 2) * (i / GRID) ** 2
    return { lost: gained + margin, gained }
  })

/** Outcomes whose scores differ by rounding are alike. */
const TIE = 1e-9

/**
 * Tango's score up to which each look passes, so that with a harm of `margin` it has passed by look k with a probability of at most
 * `spent[k]`, whatever share of prompts is gained; −∞ where none may. `sizes` are prompts seen by each look, ascending.
 */
export function criticalScores(
  sizes: readonly number[],
  margin: number,
  spent: readonly number[],
): number[] {
  const all = placesOf(margin).map((shares) => ({
    table: carriedTable(sizes.at(-1)!, shares),
    passed: 0,
  }))
  return sizes.map((n, k) => {
    const { ranks, scores } = rankedScores(n, margin)
    let last = scores.length - 1
    for (const { table, passed } of all) {
      const mass = new Float64Array(scores.length)
      table.advance(n)
      table.stopWhere((b, c, probability) => {
        const rank = ranks[b * (n + 1) + c]!
        if (rank >= 0) mass[rank]! += probability
        return false
      })
      let sum = passed
      for (let rank = 0; rank <= last; rank++) {
        sum += mass[rank]!
        if (sum > spent[k]!) last = rank - 1
      }
    }
    for (const each of all) {
      each.table.stopWhere((b, c, probability) => {
        const rank = ranks[b * (n + 1) + c]!
        if (rank < 0 || rank > last) return false
        each.passed += probability
        return true
      })
    }
    return last < 0 ? -Infinity : scores[last]!
  })
}

/** The distinct scores below 0 at n prompts, ascending, and the place among them of every outcome (−1: none). */
function rankedScores(n: number, margin: number) {
  const of = new Float64Array((n + 1) ** 2).fill(Infinity)
  for (let b = 0; b <= n; b++)
    for (let c = 0; c <= n - b; c++) {
      const score = tangoScore({ lost: b, gained: c, n }, margin)
      if (score < 0) of[b * (n + 1) + c] = score
    }
  const sorted = of.filter(Number.isFinite).sort()
  const scores: number[] = []
  for (const score of sorted) if (!(score - (scores.at(-1) ?? -Infinity) < TIE)) scores.push(score)
  const ranks = Int32Array.from(of, (score) => (score === Infinity ? -1 : rankOf(scores, score)))
  return { ranks, scores }
}

function rankOf(scores: readonly number[], score: number): number {
  let [low, high] = [0, scores.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (scores[middle]! <= score + TIE / 2) low = middle
    else high = middle - 1
  }
  return low
}
