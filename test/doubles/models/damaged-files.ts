/**
 * @file Damaged copies of a file by the hundred: bits and numbers changed, parts cut, dropped, inserted and repeated, or values of its
 * JSON exchanged. Each opens or is refused by name, in time, and without memory that the file could not need.
 */
import { expect } from 'vitest'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { counted } from '../tier.ts'
import { fc } from '../properties.ts'

/** Damaged copies of each kind of file: more than 1,000 in all in the long tier. */
export const RUNS = counted(80, 2500)
const SEED = 20240726
/** Of processor time, which a busy machine does not lengthen. */
const SLOWEST_MS = 5000
const MEMORY = 64 * 2 ** 20

/** Places near the beginning are likelier: that is where headers are. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 600 }) },
  { weight: 1, arbitrary: fc.nat({ max: 2 ** 20 }) },
)
const NUMBERS = [0n, 1n, 2n, 255n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]
const damage = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({
    kind: fc.constant('number' as const),
    at: place,
    value: fc.constantFrom(...NUMBERS),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('insert' as const), at: place, text: fc.string({ maxLength: 9 }) }),
  fc.record({
    kind: fc.constant('drop' as const),
    at: place,
    count: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: place,
    count: fc.integer({ min: 1, max: 200 }),
  }),
)
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never
const damages = fc.array(damage, { minLength: 1, maxLength: 4 })

function damaged(original: Buffer, steps: readonly Damage[]): Buffer {
  let bytes = Buffer.from(original)
  for (const step of steps) {
    if (bytes.length === 0) return bytes
    const at = step.at % bytes.length
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (step.kind) {
      case 'set':
        bytes[at] = step.byte
        break
      case 'flip':
        bytes[at]! ^= 1 << step.bit
        break
      case 'number':
        if (after.length >= 8) bytes.writeBigUInt64LE(step.value, at)
        break
      case 'cut':
        bytes = Buffer.from(before)
        break
      case 'insert':
        bytes = Buffer.concat([before, Buffer.from(step.text), after])
        break
      case 'drop':
        bytes = Buffer.concat([before, after.subarray(step.count)])
        break
      case 'repeat':
        bytes = Buffer.concat([before, after.subarray(0, step.count), after])
    }
  }
  return bytes
}

/** Valid JSON with a few of its values exchanged: gets past the parser, where bytes seldom do. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 22,
  2 ** 32,
  '',
  'x',
  '(',
  '(a+)+$',
  '\u0000',
  [],
  {},
  [[]],
  [null],
  { type: 'Sequence' },
  { type: 'Split', pattern: {}, behavior: 'Removed', invert: true },
  { type: 'ByteLevel' },
  { type: 'Digits' },
  { Regex: '[' },
  { Regex: '\\p{Nothing}' },
]
const exchanges = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...HOSTILE)), {
  minLength: 1,
  maxLength: 3,
})
type Exchanges = typeof exchanges extends fc.Arbitrary<infer T> ? T : never

function exchanged(original: unknown, steps: Exchanges): unknown {
  const root = { value: structuredClone(original) }
  for (const [at, hostile] of steps) {
    // Few nodes of each object, or the vocabulary would take nearly every hit.
    const nodes: [Record<string, unknown>, string][] = []
    const visit = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return
      const owner = node as Record<string, unknown>
      for (const key of Object.keys(owner).slice(0, 12)) {
        nodes.push([owner, key])
        visit(owner[key])
      }
    }
    visit(root)
    const [owner, key] = nodes[at % nodes.length]!
    owner[key] = structuredClone(hostile)
  }
  return root.value
}

/** Runs `open` on `runs` damaged copies of `original`; returns how many opened and how many were refused. */
export async function attack(
  original: Buffer,
  open: (bytes: Buffer) => Promise<void>,
  runs = RUNS,
) {
  return attackWith(damages, (steps) => damaged(original, steps), open, runs)
}

/** The same with exchanged values of a JSON file. */
export async function attackValues(original: Buffer, open: (bytes: Buffer) => Promise<void>) {
  const json: unknown = JSON.parse(original.toString())
  const change = (steps: Exchanges) => Buffer.from(JSON.stringify(exchanged(json, steps)))
  return attackWith(exchanges, change, open)
}

async function attackWith<Step>(
  steps: fc.Arbitrary<Step>,
  change: (step: Step) => Buffer,
  open: (bytes: Buffer) => Promise<void>,
  runs = RUNS,
) {
  const outcomes = { opened: 0, refused: 0 }
  const property = fc.asyncProperty(steps, async (step) => {
    const bytes = change(step)
    const [before, start] = [process.memoryUsage(), process.cpuUsage()]
    try {
      await open(bytes)
      outcomes.opened++
    } catch (error) {
      if (!(error instanceof TouchstoneError)) throw error
      outcomes.refused++
    }
    const { arrayBuffers } = process.memoryUsage()
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(SLOWEST_MS)
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(MEMORY)
  })
  await fc.assert(property, { numRuns: runs, seed: SEED, endOnFailure: true })
  return outcomes
}

// Most damage must be noticed, and some of it (a weight's own bytes) cannot be: both must occur.
export const expectBoth = ({ opened, refused }: { opened: number; refused: number }) => {
  expect(opened).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(RUNS / 4)
}
