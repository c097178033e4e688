/** @file A small seeded generator for the bundled data: mulberry32, the same numbers on every machine. */

/** Draws in [0, 1), then choices made from them. */
export interface Draw {
  number(): number
  /** An integer in [0, limit). */
  below(limit: number): number
  pick<T>(items: readonly T[]): T
  chance(probability: number): boolean
  shuffle<T>(items: readonly T[]): T[]
}

export function seededDraw(seed: number): Draw {
  let state = seed >>> 0
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(number() * limit)
  return {
    number,
    below,
    pick: (items) => {
      if (items.length === 0) throw new Error('internal: nothing to pick from')
      return items[below(items.length)]!
    },
    chance: (probability) => number() < probability,
    shuffle: (items) => {
      const result = [...items]
      for (let i = result.length - 1; i > 0; i--) {
        const j = below(i + 1)
        ;[result[i], result[j]] = [result[j]!, result[i]!]
      }
      return result
    },
  }
}
