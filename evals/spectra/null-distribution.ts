/**
 * @file Chance alignment of a random direction: the distribution of c = max |u_i| over the first k of the m coordinates of a
 * uniform unit vector u ∈ R^m, by simulation (u = z / ‖z‖, z normal; the other m − k coordinates enter as one χ²).
 */
import { chiSquare, randomStream } from '../statistics/random.ts'

/** c of random directions for one shape. */
type NullDistribution = {
  /** P(c_random ≥ c), never 0: (1 + draws ≥ c) / (1 + draws). */
  nullP: (c: number) => number
  quantile: (probability: number) => number
  /** 1 % and 99 % quantiles. */
  nullBand: [number, number]
}

const NULL_DRAWS = 20_000

const known = new Map<string, NullDistribution>()

/** The distribution for k = min(m, n) pretrained directions in R^m; seeded by m and k, and cached. */
export function nullDistribution(m: number, k: number, draws = NULL_DRAWS): NullDistribution {
  if (!(k >= 1 && k <= m)) throw new Error(`internal: ${k} coordinates of a vector in R^${m}`)
  const key = `${m},${k},${draws}`
  const distribution = known.get(key) ?? simulate(m, k, draws)
  known.set(key, distribution)
  return distribution
}

function simulate(m: number, k: number, draws: number): NullDistribution {
  const stream = randomStream(m * 65_537 + k, 'null distribution')
  const sorted = new Float64Array(draws)
  for (let draw = 0; draw < draws; draw++) {
    let [largest, squares] = [0, m > k ? chiSquare(m - k, stream) : 0]
    for (let i = 0; i < k; i++) {
      const square = stream.normal() ** 2
      squares += square
      if (square > largest) largest = square
    }
    sorted[draw] = Math.sqrt(largest / squares)
  }
  sorted.sort()
  const quantile = (probability: number) => {
    const position = probability * (draws - 1)
    const below = Math.floor(position)
    const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, draws - 1)]!]
    return low + (position - below) * (high - low)
  }
  return {
    nullP: (c) => (1 + draws - countBelow(sorted, c)) / (1 + draws),
    quantile,
    nullBand: [quantile(0.01), quantile(0.99)],
  }
}

/** The number of elements below c. */
function countBelow(ascending: Float64Array, c: number): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! < c) low = middle + 1
    else high = middle
  }
  return low
}
