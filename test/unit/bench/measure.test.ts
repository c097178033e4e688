/** @file Medians, comparisons and profiles of the benches, held against numbers that are plain to see. */
import { describe, expect, test } from 'vitest'
import { compareMemory, compareSpeed, compareWork, type Pair } from '../../bench/harness/compare.ts'
import {
  memoryOf,
  parseStatus,
  processorSeconds,
  spread,
  watchMemory,
} from '../../bench/harness/measure.ts'
import { startLineProcess } from '../../bench/harness/line-process.ts'
import { readProfile } from '../../bench/harness/profile.ts'
import {
  CHAT,
  chatRows,
  commandFor,
  equalLengths,
  MIXED,
  mixedLengths,
  tokenRows,
} from '../../bench/harness/works.ts'

describe('spread', () => {
  test('is the middle of an odd count and the mean of the two middles of an even one', () => {
    expect(spread([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 })
    expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
    expect(() => spread([])).toThrow('at least one value')
  })
})

describe('memory', () => {
  test('is read from the two lines of /proc that say it', () => {
    const status = 'Name:\tnode\nVmHWM:\t    2048 kB\nVmRSS:\t 9 kB\nRssAnon:\t    1024 kB\n'
    expect(parseStatus(status)).toEqual({ peakBytes: 2 * 2 ** 20, anonymousBytes: 2 ** 20 })
    expect(parseStatus('VmHWM:\t 2048 kB\n')).toBeNull()
    expect(parseStatus('')).toBeNull()
  })

  test('of a process that does not exist is unknown', () => {
    expect(memoryOf(-1)).toBeNull()
    expect(processorSeconds(-1)).toBeNull()
  })
})

describe.runIf(process.platform === 'linux')('watched memory', () => {
  test('remembers private pages that are given back', async () => {
    const program = `let held = Buffer.alloc(200e6, 1)
      setTimeout(() => { held = null; gc(); console.log('{}') }, 300)
      process.stdin.resume()`
    const child = await startLineProcess(process.execPath, ['--expose-gc', '-e', program])
    await expect.poll(() => memoryOf(child.pid)!.anonymousBytes).toBeLessThan(150e6)
    const { anonymousBytes, peakBytes } = child.memory()!
    expect(anonymousBytes).toBeGreaterThan(200e6)
    expect(peakBytes).toBeGreaterThan(anonymousBytes)
    await child.quit()
  })

  test('of a process that does not exist is unknown', () => {
    const watched = watchMemory(-1)
    expect(watched.seen()).toBeNull()
    watched.stop()
  })
})

describe('compareMemory', () => {
  test('divides ours by PyTorch’s and says the bars', () => {
    const sides = [
      { peakBytes: 300, anonymousBytes: 100 },
      { peakBytes: 600, anonymousBytes: 400 },
    ] as const
    expect(compareMemory(...sides, { total: 0.55 })).toEqual({
      total: { ours: 300, torch: 600, ratio: 0.5, bar: 0.55 },
      anonymous: { ours: 100, torch: 400, ratio: 0.25, bar: null },
    })
    expect(compareMemory(sides[0], null)).toBeNull()
  })
})

describe('chat rows', () => {
  const rows = chatRows(1000)

  test('are the same each time, of lengths from the shortest to the longest, half of them labelled', () => {
    expect(chatRows(1000)).toEqual(rows)
    const lengths = rows.map(({ ids }) => ids.length)
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([CHAT.shortest, CHAT.longest])
    for (const { ids, labelled } of rows) {
      const share = labelled.filter(Boolean).length / ids.length
      expect(share).toBeGreaterThan(0.35)
      expect(share).toBeLessThan(0.65)
      expect(labelled.slice(labelled.indexOf(true))).not.toContain(false)
    }
  })

  test('are told to the peer as our loop takes them', () => {
    const { rows: told = [], prompts = [] } = commandFor('lora-chat', 70, rows)
    expect(told).toHaveLength(CHAT.rowsPerStep)
    for (const [i, ids] of told.entries()) {
      const own = rows.find((row) => row.ids === ids)!
      expect(own.labelled.indexOf(true)).toBe(prompts[i])
    }
    expect(commandFor('lora-step', 3, rows)).toEqual({ work: 'lora-step' })
  })
})

const pair = (ours: Partial<Pair['ours']>, torch: Partial<Pair['torch']>): Pair => ({
  ours: { ms: 1, ...ours },
  torch: { ms: 1, ...torch },
})

describe('compareSpeed', () => {
  test('takes the median of the pairs’ own ratios', () => {
    const pairs = [[100, 150], [100, 200], [1000, 3000]].map(([ours, torch]) =>
      pair({ ms: ours }, { ms: torch }),
    ) // prettier-ignore
    const { ratio, ratioOfMedians } = compareSpeed(pairs, 1)
    expect(ratio.median).toBe(2)
    expect([ratio.lower, ratio.upper]).toEqual([1.5, 3])
    expect(ratioOfMedians).toBe(2)
  })
})

describe('compareWork', () => {
  const losses = (ours: readonly number[], torch: readonly number[]) =>
    compareWork(ours.map((loss, i) => pair({ loss }, { loss: torch[i]! })))

  test('wants five digits of the first loss', () => {
    expect(losses([10.92899], [10.92898]).same).toBe(true)
    expect(losses([10.9289], [10.9276]).same).toBe(false)
  })

  test('wants four digits of it where ours is approximate by choice', () => {
    const of = (ours: number) => compareWork([pair({ loss: ours }, { loss: 10.9289 })], true).same
    expect([10.9296, 10.9276, 10.92].map(of)).toEqual([true, false, false])
  })

  test('sees an optimiser at another rate in the losses after it', () => {
    expect(losses([10.929, 10.4296], [10.929, 9.9298]).same).toBe(false)
    expect(losses([10.929, 9.92975], [10.929, 9.92976]).same).toBe(true)
  })

  test('does not take a loss that is not a number for equal', () => {
    expect(losses([NaN], [NaN]).same).toBe(false)
  })

  test('wants every token at every repetition', () => {
    const tokens = [[1, 2], [3, 4]] // prettier-ignore
    expect(compareWork([pair({ tokens }, { tokens })]).same).toBe(true)
    const other = pair({ tokens }, { tokens: [[1, 2], [3, 5]] }) // prettier-ignore
    expect(compareWork([pair({ tokens }, { tokens }), other]).same).toBe(false)
    expect(compareWork([pair({ tokens }, { tokens: [...tokens, [5]] })]).same).toBe(false)
    expect(compareWork([pair({ tokens }, { tokens: [] })]).same).toBe(false)
  })
})

describe('tokenRows', () => {
  test('counts on over the rows, above the first three ids', () => {
    const ids = [104729, 112648, 120567, 128486].map((at) => 3 + (at % 1000))
    expect(tokenRows(equalLengths({ rows: 2, length: 2 }), 1003)).toEqual([
      ids.slice(0, 2),
      ids.slice(2),
    ])
    expect(tokenRows([1, 3], 1003)).toEqual([ids.slice(0, 1), ids.slice(1)])
  })

  test('of mixed lengths reach from the shortest to the longest', () => {
    const lengths = mixedLengths()
    expect(lengths).toHaveLength(MIXED.rows)
    expect(new Set(lengths).size).toBe(MIXED.rows)
    expect(Math.min(...lengths)).toBe(MIXED.shortest)
    expect(Math.max(...lengths)).toBeGreaterThan(MIXED.longest - 5)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MIXED.longest)
  })
})

describe('readProfile', () => {
  const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur })
  const node = (name: string, ts: number, dur: number, shape: number[]) => ({
    cat: 'Node',
    name: `${name}_kernel_time`,
    ts,
    dur,
    args: { op_name: 'MatMul', input_type_shape: [{ float: shape }] },
  })
  const events = [
    run(0, 900_000),
    node('a', 1, 800_000, [2, 3]),
    run(1_000_000, 9000),
    node('a', 1_000_001, 5000, [2, 3]),
    node('b', 1_000_002, 2000, [4]),
    run(2_000_000, 7000),
    node('a', 2_000_001, 3000, [2, 3]),
    node('b', 2_000_002, 2000, [4]),
  ]

  test('leaves the first repetitions out and divides by the others', () => {
    const profile = readProfile(JSON.stringify(events), { runs: 1, skipped: 1 })
    expect(profile.runMs).toBe(8)
    expect(profile.kernelMs).toBe(6)
    expect(profile.operators).toEqual([{ name: 'MatMul', calls: 2, ms: 6, quietMs: 5 }])
    expect(profile.shapes).toEqual([
      { name: 'MatMul [2,3]', calls: 1, ms: 4, quietMs: 3 },
      { name: 'MatMul [4]', calls: 1, ms: 2, quietMs: 2 },
    ])
  })

  test('counts 2·m·n·k of every product, A transposed or not, and of nothing else', () => {
    const product = (op: string, a: number[], output: number[]) => ({
      ...node(op, 1, 1000, a),
      args: {
        op_name: op,
        input_type_shape: [{ float: a }],
        output_type_shape: [{ float: output }],
      },
    })
    const of = (...some: object[]) =>
      readProfile(JSON.stringify([run(0, 9000), ...some]), { runs: 1, skipped: 0 }).products
    // [2, 5, 7]·[7, 3], then Aᵀ of [7, 5] times [7, 3]: k = 7 in both.
    expect(of(product('MatMul', [2, 5, 7], [2, 5, 3])).operations).toBe(2 * 2 * 5 * 3 * 7)
    expect(of(product('Gemm', [7, 5], [5, 3])).operations).toBe(2 * 5 * 3 * 7)
    expect(of(product('Add', [5, 7], [5, 7]))).toEqual({ operations: 0, ms: 0, quietMs: 0 })
  })

  test('refuses a profile without a counted run and text that is none', () => {
    expect(() => readProfile(JSON.stringify(events), { runs: 1, skipped: 3 })).toThrow('no run')
    expect(() => readProfile('[{"cat": 1}]', { runs: 1, skipped: 0 })).toThrow()
    expect(() => readProfile('', { runs: 1, skipped: 0 })).toThrow()
  })
})
