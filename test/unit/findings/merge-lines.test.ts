/** @file The last safe weight of a merge, its error rate over many weights, and its section of the report. */
import { describe, expect, test } from 'vitest'
import { Results } from '../../../evals/contract/results.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { terminalText } from '../../../evals/document/terminal.ts'
import { lastSafe } from '../../../evals/findings/merge-lines.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { plannedRows, type PlannedBenchmark } from '../../doubles/rows/audit-rows.ts'

const REFUSAL: PlannedBenchmark = { name: 'house-refusal', role: 'refusal', n: 400, base: 400 }
const LOST = { '0': 0, '0.25': 2, '0.5': 200, '0.75': 1, '1': 390 }

/** The points as they may come, out of order. */
const rows = (() => {
  const weights = Object.entries(LOST).toReversed()
  const planned = plannedRows({
    benchmarks: [REFUSAL],
    config: { margin: 0.05, gate: { margin: 0.05, trust: ['house'] } },
    arms: weights.map(([weight, lost]) => ({
      arm: `merge:svd@${weight}`,
      seed: 0,
      steps: { 0: { 'house-refusal': { lost, gained: 0 } } },
      intruders: 0,
    })),
  })
  const point = (arm: string) => ({
    line: 'svd:out/a+out/b',
    way: 'svd',
    adapters: ['a', 'b'] as [string, string],
    weight: Number(arm.slice('merge:svd@'.length)),
  })
  const subjects = planned.subjects.map((row) =>
    row.arm === 'base' ? row : { ...row, merge: point(row.arm) },
  )
  return { ...planned, subjects }
})()

describe('along a merge', () => {
  const results = buildResults(rows)

  test('points are in order of weight, each with its gate, and the walk ends at the first that fails', () => {
    const [line] = results.mergeLines!
    expect(line).toMatchObject({ way: 'svd', adapters: ['a', 'b'], lastSafe: 0.25, firstOpen: 0.5 })
    expect(line!.points.map(({ weight, outcome }) => [weight, outcome])).toEqual([
      [0, 'PASS'],
      [0.25, 'PASS'],
      [0.5, 'FAIL'],
      [0.75, 'PASS'],
      [1, 'FAIL'],
    ])
    expect(Results.parse(JSON.parse(JSON.stringify(results)))).toEqual(results)
  })

  test('the report draws the rates and the spectra against the weight, and says how the weight was chosen', () => {
    const html = renderReport(results)
    expect(html).toContain('weight of the second adapter')
    expect(html).toContain('Size of the merged change')
    const text = terminalText(sectionsOf(results, 'terminal'))
    expect(text).toMatch(/svd of a and b: the last safe weight of b is 0\.25; at 0\.5 it is FAIL/u)
    expect(text).toMatch(/chosen by looking/u)
  })

  test('an audit without a merge has no such section', () => {
    const plain = buildResults({
      ...rows,
      subjects: rows.subjects.map(({ merge: _, ...row }) => row),
    })
    expect(plain.mergeLines).toBeUndefined()
    expect(renderReport(plain)).not.toContain('Along the merge')
  })
})

describe('the walk', () => {
  const point = (weight: number, outcome: 'PASS' | 'FAIL' | 'INCONCLUSIVE' | null) => ({
    arm: `at ${weight}`,
    weight,
    outcome,
  })

  test.each([
    [[point(0, 'FAIL'), point(1, 'PASS')], { lastSafe: null, firstOpen: 0 }],
    [[point(0.5, null)], { lastSafe: null, firstOpen: 0.5 }],
    [[point(0, 'PASS'), point(0.5, 'INCONCLUSIVE')], { lastSafe: 0, firstOpen: 0.5 }],
    [[point(0, 'PASS'), point(1, 'PASS')], { lastSafe: 1, firstOpen: null }],
  ])('%#', (points, expected) => {
    expect(lastSafe(points)).toEqual(expected)
  })

  test('names an unsafe weight at most as often as one test errs, the largest weight that passes far more often', () => {
    const [alpha, runs, unsafe] = [0.05, 20_000, 8]
    const stream = randomStream(5, 'walk')
    let [walked, largest] = [0, 0]
    for (let run = 0; run < runs; run++) {
      // Weights 0 and 0.1 are safe and always shown; at each larger one the harm is the margin.
      const points = Array.from({ length: 2 + unsafe }, (_, i) =>
        point(i / 10, i < 2 || stream.uniform() < alpha ? 'PASS' : 'INCONCLUSIVE'),
      )
      if (lastSafe(points).lastSafe! > 0.1) walked++
      if (points.findLast(({ outcome }) => outcome === 'PASS')!.weight > 0.1) largest++
    }
    const error = 4 * Math.sqrt((alpha * (1 - alpha)) / runs)
    expect(walked / runs).toBeLessThan(alpha + error)
    expect(largest / runs).toBeGreaterThan(0.3)
  })
})
