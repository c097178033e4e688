/** @file Which rows a fine-tune is trained again without: those ranked first, and as many at random and matched in length and loss. */
import type { LeftOut } from '../../contract/subjects/causes.ts'
import { randomStream } from '../../statistics/random.ts'

/** Of one row, in the order of the data. */
interface Rankable {
  readonly score: number
  readonly tokens: number
  readonly loss: number
}

/** Places of the rows to leave out, `count` of each. Ties in score go by place. */
export function leftOut(
  rows: readonly Rankable[],
  count: number,
  seed: number,
): Readonly<Record<LeftOut, readonly number[]>> {
  const places = rows.map((_, i) => i)
  const byScore = places.toSorted((a, b) => rows[b]!.score - rows[a]!.score || a - b)
  const ranked = byScore.slice(0, count)
  return {
    ranked,
    random: randomStream(seed, 'rows left out at random').shuffle(places).slice(0, count),
    matched: matchedTo(ranked, byScore.slice(count), rows),
  }
}

/** For each ranked row the nearest other one in length and loss, both over their standard deviation; each is taken once. */
function matchedTo(
  ranked: readonly number[],
  others: readonly number[],
  rows: readonly Rankable[],
): number[] {
  const [tokens, loss] = [
    scaled(rows.map((row) => row.tokens)),
    scaled(rows.map((row) => row.loss)),
  ]
  const left = new Set(others)
  return ranked.flatMap((i) => {
    let [nearest, least] = [-1, Infinity]
    for (const j of left) {
      const distance = (tokens[i]! - tokens[j]!) ** 2 + (loss[i]! - loss[j]!) ** 2
      if (distance < least) [nearest, least] = [j, distance]
    }
    return left.delete(nearest) ? [nearest] : []
  })
}

function scaled(values: readonly number[]): number[] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return values.map((x) => (variance === 0 ? 0 : x / Math.sqrt(variance)))
}
