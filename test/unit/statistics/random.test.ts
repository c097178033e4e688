/** @file The random streams: the published generator, its key, saved positions, and plain quality checks at fixed seeds. */
import { describe, expect, it } from 'vitest'
import { fillFirstBits, randomStream, threefry } from '../../../evals/statistics/random.ts'
import { fc } from '../../doubles/properties.ts'

/** Threefry-2x32-20 as the paper's Figure states it, in whole numbers without end: slow and independent. */
function reference(key: readonly bigint[], counter: readonly bigint[]): [bigint, bigint] {
  const word = (x: bigint) => x & 0xffffffffn
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  const ks = [key[0]!, key[1]!, 0x1bd11bdan ^ key[0]! ^ key[1]!]
  let x = word(counter[0]! + ks[0]!)
  let y = word(counter[1]! + ks[1]!)
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8]!
    x = word(x + y)
    y = word((y << by) | (y >> (32n - by))) ^ x
    if (round % 4 !== 3) continue
    const s = (round + 1) / 4
    x = word(x + ks[s % 3]!)
    y = word(y + ks[(s + 1) % 3]! + BigInt(s))
  }
  return [x, y]
}

function referenceUniform(seed: bigint, label: string, position: bigint): number {
  let key = [seed & 0xffffffffn, (seed >> 32n) & 0xffffffffn]
  for (const unit of [...label].map((c) => c.charCodeAt(0))) {
    key = reference(key, [BigInt(unit), 0xffffffffn])
  }
  key = reference(key, [BigInt(label.length), 0xffffffffn])
  const [x, y] = reference(key, [position & 0xffffffffn, position >> 32n])
  return Number(((x >> 5n) << 26n) | (y >> 6n)) / 2 ** 53
}

function block(k: readonly number[], c: readonly number[]): number[] {
  const out = new Int32Array(2)
  threefry(out, k[0]! | 0, k[1]! | 0, c[0]! | 0, c[1]! | 0)
  return [out[0]! >>> 0, out[1]! >>> 0]
}

const take = (n: number, draw: () => number) => Array.from({ length: n }, draw)
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

describe('the generator', () => {
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('gives the known answers published with Random123 (key %j)', (key, counter, expected) => {
    expect(block(key, counter)).toEqual(expected)
  })

  it('equals a plain reading of the paper for any key and counter', () => {
    const word = fc.nat({ max: 0xffffffff })
    fc.assert(
      fc.property(word, word, word, word, (k0, k1, c0, c1) => {
        const expected = reference([BigInt(k0), BigInt(k1)], [BigInt(c0), BigInt(c1)])
        expect(block([k0, k1], [c0, c1])).toEqual(expected.map(Number))
      }),
    )
  })

  it.each([
    [0, '', 0],
    [1, 'data order', 5],
    [-1, 'weights', 2 ** 32],
    [2 ** 40 + 3, 'a/b', 2 ** 45 + 7],
    [Number.MAX_SAFE_INTEGER, 'é', 2 ** 32 - 1],
  ])('uniform() of seed %d, label %j, position %d is the documented draw', (seed, label, at) => {
    const expected = referenceUniform(BigInt.asUintN(64, BigInt(seed)), label, BigInt(at))
    expect(randomStream(seed, label, at).uniform()).toBe(expected)
  })
})

describe('a stream', () => {
  it('continues exactly from a saved position, whatever was drawn before', () => {
    const kind = fc.constantFrom('uniform', 'normal', 'integer', 'shuffle')
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), fc.array(kind), (seed, label, kinds) => {
        const stream = randomStream(seed, label)
        for (const draw of kinds) {
          if (draw === 'integer') stream.integer(7)
          else if (draw === 'shuffle') stream.shuffle([1, 2, 3])
          else stream[draw]()
        }
        const restored = randomStream(seed, label, stream.position)
        expect(take(3, restored.normal)).toEqual(take(3, stream.normal))
        expect(restored.position).toBe(stream.position)
      }),
    )
  })

  it('counts one draw a number, and length − 1 for a shuffle', () => {
    const stream = randomStream(3, 'count')
    stream.uniform()
    stream.normal()
    stream.integer(10)
    expect(stream.position).toBe(3)
    stream.shuffle([1, 2, 3, 4])
    expect(stream.position).toBe(6)
  })

  it('does not repeat between labels, seeds or positions', () => {
    const streams = take(100, () => 0).flatMap((_, i) => [
      randomStream(0, `label ${i}`),
      randomStream(i + 1, 'label 0'),
    ])
    const values = streams.flatMap((stream) => take(100, stream.uniform))
    // 20,000 draws of 53 bits: a chance meeting has probability 2 × 10⁻⁸.
    expect(new Set(values).size).toBe(20_000)
  })

  it.each([0.5, NaN, Infinity, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => randomStream(seed, '')).toThrow('internal: a seed')
  })

  it.each([-1, 0.5, NaN])('refuses the position %d', (position) => {
    expect(() => randomStream(0, '', position)).toThrow('internal: position')
  })
})

describe('quality at fixed seeds', () => {
  const n = 1_000_000

  it('uniform() has mean ½, variance 1/12 and even bins, and is fast', () => {
    const stream = randomStream(7, 'uniform')
    const started = process.cpuUsage()
    const values = take(n, stream.uniform)
    // A million in less than a second of processor time, of this process alone.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000)
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0)
    expect(values.every((x) => x >= 0 && x < 1)).toBe(true)
    // Four standard errors: √(1/12n), and √(1/180n) for the second moment.
    expect(Math.abs(mean(values) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / (12 * n)))
    const spread = mean(values.map((x) => (x - 0.5) ** 2))
    expect(Math.abs(spread - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / (180 * n)))
    const bins = new Array<number>(256).fill(0)
    for (const x of values) bins[Math.floor(x * 256)]!++
    // χ² with 255 degrees of freedom: the 0.1 % and 99.9 % points.
    expect(chiSquare(bins, n / 256)).toBeGreaterThan(190.9)
    expect(chiSquare(bins, n / 256)).toBeLessThan(330.5)
  })

  it('neighbouring draws and neighbouring labels are uncorrelated', () => {
    const size = 100_000
    const correlation = (x: readonly number[], y: readonly number[]) =>
      12 * mean(x.map((value, i) => (value - 0.5) * (y[i]! - 0.5)))
    const stream = randomStream(11, 'label 1')
    const values = take(size + 1, stream.uniform)
    const neighbour = randomStream(11, 'label 2')
    const others = take(size, neighbour.uniform)
    expect(Math.abs(correlation(values.slice(0, size), values.slice(1)))).toBeLessThan(
      4 / Math.sqrt(size),
    )
    expect(Math.abs(correlation(values.slice(0, size), others))).toBeLessThan(4 / Math.sqrt(size))
  })

  it('normal() has the moments and the tail of the normal distribution', () => {
    const stream = randomStream(5, 'normal')
    const values = take(n, stream.normal)
    expect(Math.abs(mean(values))).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(mean(values.map((x) => x * x)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
    // The variance of x⁴ is 105 − 9.
    expect(Math.abs(mean(values.map((x) => x ** 4)) - 3)).toBeLessThan(4 * Math.sqrt(96 / n))
    const outside = values.filter((x) => Math.abs(x) > 1.959964).length / n
    expect(Math.abs(outside - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / n))
    expect(values.every((x) => Math.abs(x) < 6.8)).toBe(true)
  })

  it('integer(n) is even over 0 … n − 1', () => {
    const stream = randomStream(2, 'integer')
    const counts = [0, 0, 0, 0, 0, 0, 0]
    for (let i = 0; i < 70_000; i++) counts[stream.integer(7)]!++
    // χ² with 6 degrees of freedom, 99.9 %.
    expect(chiSquare(counts, 10_000)).toBeLessThan(22.46)
    expect(stream.integer(1)).toBe(0)
    expect(stream.integer(2 ** 32)).toBeLessThan(2 ** 32)
    for (const bad of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
      expect(() => stream.integer(bad)).toThrow('internal: n − 1')
    }
  })

  it('shuffle gives every order equally often and leaves its input alone', () => {
    const stream = randomStream(9, 'shuffle')
    const input = Object.freeze(['a', 'b', 'c'])
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const order = stream.shuffle(input).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    // χ² with 5 degrees of freedom, 99.9 %.
    expect(chiSquare([...counts.values()], 1000)).toBeLessThan(20.52)
    expect(stream.shuffle([])).toEqual([])
  })
})

it('first bits say on which side of one half a draw lies', () => {
  const position = 2 ** 32 - 20
  const { uniform } = randomStream(7, 'halves', position)
  const bits = new Uint8Array(40)
  fillFirstBits(bits, { seed: 7, label: 'halves', position })
  expect([...bits]).toEqual(Array.from(bits, () => Number(uniform() >= 0.5)))
})
