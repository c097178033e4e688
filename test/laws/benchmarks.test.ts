/** @file What every benchmark promises: known judges, stable unique ids, samples of its role, balanced categories. */
import { describe, expect, test } from 'vitest'
import type { BenchmarkRole, Expected, Sample as SampleType } from '../../evals/contract/rows.ts'
import { Sample } from '../../evals/contract/rows.ts'
import { benchmarkDigest, loadBundled } from '../../evals/benchmarks/bundled/load-bundled.ts'
import {
  BENCHMARKS,
  BUNDLED,
  findBundled,
  IMPORTABLE,
  SUITES,
} from '../../evals/benchmarks/registry.ts'
import { findJudge } from '../../evals/judges/registry.ts'

const EXPECTED: Record<BenchmarkRole, readonly Expected['kind'][]> = {
  refusal: ['refuse'],
  'over-refusal': ['comply'],
  capability: ['answer', 'choice'],
}
/** Fewest prompts by name; categories of one benchmark differ by at most this factor. */
const MINIMUM: Record<string, number> = {
  'house-refusal': 240,
  'house-overrefusal': 240,
  'house-capability': 300,
  'mild-refusal': 100,
  'mild-overrefusal': 100,
  'general-capability': 60,
}
const IMBALANCE = 1.3

describe.each(BUNDLED.map((benchmark) => ({ name: benchmark.name, benchmark })))(
  '$name',
  ({ name, benchmark }) => {
    const load = () => loadBundled(benchmark)

    test('gives valid samples with unique ids, the same twice', async () => {
      const samples = await load()
      for (const sample of samples) expect(Sample.parse(sample)).toEqual(sample)
      expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length)
      expect(samples.every((sample) => sample.benchmark === name)).toBe(true)
      expect(benchmarkDigest(await load())).toBe(benchmarkDigest(samples))
    })

    test('asks what its role says', async () => {
      const kinds = new Set((await load()).map(({ expected }) => expected.kind))
      for (const kind of kinds) expect(EXPECTED[benchmark.role]).toContain(kind)
    })

    test('holds enough prompts, no prompt twice, and balanced categories', async () => {
      const samples = await load()
      expect(samples.length).toBeGreaterThanOrEqual(MINIMUM[name]!)
      const prompts = samples.map(({ messages }) => messages[0]!.content)
      expect(new Set(prompts).size).toBe(prompts.length)
      const sizes = [...Map.groupBy(samples, ({ category }) => category).values()].map(
        (group) => group.length,
      )
      expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThanOrEqual(IMBALANCE)
    })

    test('names judges that exist and have something to say', async () => {
      const [sample] = await load()
      expect(benchmark.judges.length).toBeGreaterThan(0)
      for (const judge of benchmark.judges)
        expect(findJudge(judge).applies(sample!.expected), judge).toBe(true)
    })
  },
)

test('suites name registered benchmarks, one of each role', () => {
  for (const names of Object.values(SUITES))
    expect(names.map((name) => findBundled(name).role)).toEqual([
      'refusal',
      'over-refusal',
      'capability',
    ])
})

test('an unknown name is answered with near ones', () => {
  expect(() => findBundled('house-refusl')).toThrow('no benchmark named "house-refusl"')
})

test('the digest changes with any text and not with the order of keys', () => {
  const sample: SampleType = {
    id: '1',
    benchmark: 'house-refusal',
    category: 'any',
    messages: [{ role: 'user', content: 'Where is the pool?' }],
    expected: { kind: 'comply' },
  }
  const turned = Object.fromEntries(Object.entries(sample).reverse()) as SampleType
  expect(benchmarkDigest([turned])).toBe(benchmarkDigest([sample]))
  expect(benchmarkDigest([{ ...sample, category: 'other' }])).not.toBe(benchmarkDigest([sample]))
})

test.each(IMPORTABLE.map((benchmark) => [benchmark.name, benchmark] as const))(
  '%s, read from the user’s disk, ships nothing and has judges that speak of its role',
  (name, { bundled, file, judges, role, citation }) => {
    expect(bundled).toBeUndefined()
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(name.startsWith(file!.family)).toBe(true)
    expect(file!.columns.every((columns) => columns.length > 1)).toBe(true)
    expect(citation).not.toBe('')
    const kind = role === 'capability' ? 'choice' : EXPECTED[role][0]!
    const expected = { kind, options: ['a', 'b'], correct: 0 } as Expected
    for (const judge of judges) expect(findJudge(judge).applies(expected), judge).toBe(true)
  },
)

test('no two benchmarks share a name, bundled or imported', () => {
  expect(BENCHMARKS).toEqual([...BUNDLED, ...IMPORTABLE])
  const names = BENCHMARKS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
