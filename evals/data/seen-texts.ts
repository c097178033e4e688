/**
 * @file A set of texts as 64-bit hashes, 8 bytes per slot. Among n different texts the probability of any collision is below
 * n² / 2⁶⁵ (3e-6 for ten million).
 */

interface SeenTexts {
  /** Whether the text was added before; adds it. */
  see(text: string): boolean
}

const FIRST_SLOTS = 2 ** 12
const MOST_FULL = 0.5

export function createSeenTexts(): SeenTexts {
  /** Pairs of 32-bit words in open addressing; [0, 0] is an empty slot. */
  let table = new Uint32Array(2 * FIRST_SLOTS)
  let count = 0

  /** Whether the pair was present before. */
  function put(high: number, low: number): boolean {
    const slots = table.length / 2
    for (let slot = low & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const [h, l] = [table[2 * slot]!, table[2 * slot + 1]!]
      if (h === high && l === low) return true
      if (h === 0 && l === 0) {
        ;[table[2 * slot], table[2 * slot + 1]] = [high, low]
        return false
      }
    }
  }

  function grow(): void {
    const old = table
    table = new Uint32Array(2 * old.length)
    for (let i = 0; i < old.length; i += 2)
      if (old[i] !== 0 || old[i + 1] !== 0) put(old[i]!, old[i + 1]!)
  }

  return {
    see(text) {
      const [high, low] = hash64(text)
      if (put(high, low)) return true
      if (++count > (MOST_FULL * table.length) / 2) grow()
      return false
    },
  }
}

/** Two 32-bit lanes over UTF-16 units, multiplied by odd constants and mixed at the end; never [0, 0]. */
function hash64(text: string): readonly [number, number] {
  let a = 0x9e3779b1 ^ text.length
  let b = 0x85ebca6b ^ text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    a ^= a >>> 15
    b = Math.imul(b ^ unit, 0xcc9e2d51)
    b ^= b >>> 13
  }
  const high = mix(a ^ Math.imul(b, 0x27d4eb2f))
  const low = mix(b ^ Math.imul(high, 0x165667b1))
  return high === 0 && low === 0 ? [0, 1] : [high, low]
}

/** The finaliser of MurmurHash3. */
function mix(hash: number): number {
  let x = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
