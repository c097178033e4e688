/** @file Schedules as transformers has them; beginning values from (seed, name); groups and the registry. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  initialParameters,
  namedViews,
  optimizerGroups,
  parameterTable,
} from '../../../evals/finetune/training/parameters.ts'
import { findMethod, METHODS } from '../../../evals/finetune/registry.ts'
import { scheduleFactor, SCHEDULES } from '../../../evals/finetune/training/schedule.ts'
import type { Initialiser, ParameterSpec } from '../../../evals/graph/builder.ts'

type Fixture = Record<'cosine' | 'linear', readonly number[]> & {
  readonly warmupSteps: number
  readonly totalSteps: number
}
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/fixtures/schedule.json'), 'utf8'),
) as Fixture

describe('schedules', () => {
  const { warmupSteps, totalSteps } = fixture

  test.each(['cosine', 'linear'] as const)('%s is transformers’ within 1e-12', (schedule) => {
    expect(fixture[schedule].length).toBeGreaterThanOrEqual(totalSteps)
    fixture[schedule].forEach((expected, step) => {
      const factor = scheduleFactor(schedule, step, warmupSteps, totalSteps)
      expect(Math.abs(factor - expected), `step ${step}`).toBeLessThan(1e-12)
    })
  })

  test('constant rises over the warm-up and stays', () => {
    const factors = [0, 1, 2, 3, 4, 19].map((step) => scheduleFactor('constant', step, 4, 20))
    expect(factors).toEqual([0, 0.25, 0.5, 0.75, 1, 1])
  })

  test.each(SCHEDULES)(
    '%s stays within 0 and 1, without warm-up and with nothing but warm-up',
    (schedule) => {
      for (const [warmup, total] of [
        [0, 1],
        [0, 20],
        [20, 20],
        [30, 20],
      ] as const)
        for (let step = 0; step < total; step++) {
          const factor = scheduleFactor(schedule, step, warmup, total)
          expect(factor).toBeGreaterThanOrEqual(0)
          expect(factor).toBeLessThanOrEqual(1)
        }
      expect(scheduleFactor(schedule, 0, 0, 20)).toBe(1)
    },
  )
})

const spec = (name: string, shape: number[], initialiser: Initialiser | null): ParameterSpec => ({
  name,
  shape,
  initialiser,
  value: { name, dtype: 'float32', shape },
  learningRateScale: 1,
})
const begin = (specs: readonly ParameterSpec[], seed: number) => {
  const table = parameterTable(specs)
  const flat = initialParameters(specs, table, seed, () => Float32Array.of(7, 8, 9))
  return { table, views: namedViews(table, flat), flat }
}

describe('parameters', () => {
  const specs = [
    spec('a', [100, 50], { uniform: 0.25 }),
    spec('b', [3], null),
    spec('c', [100, 50], { normal: 0.5 }),
    spec('d', [4], 'ones'),
    spec('e', [2, 2], 'zeros'),
  ]

  test('lie one after another, each a view of the whole', () => {
    const { table, views, flat } = begin(specs, 1)
    expect(table.size).toBe(10_011)
    expect(table.slices.map(({ start, end }) => end - start)).toEqual([5000, 3, 5000, 4, 4])
    views.get('b')!.data[0] = 55
    expect(flat[5000]).toBe(55)
    expect(views.get('a')!.shape).toEqual([100, 50])
  })

  test('begin as their initialiser says', () => {
    const { views } = begin(specs, 1)
    const [a, c] = [views.get('a')!.data, views.get('c')!.data]
    const moments = (x: Float32Array) => {
      const mean = x.reduce((s, v) => s + v, 0) / x.length
      return [mean, Math.sqrt(x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length)] as const
    }
    expect(a.every((v) => Math.abs(v) <= 0.25)).toBe(true)
    // Five standard errors of the mean and of the deviation.
    const [meanA, deviationA] = moments(a)
    expect(Math.abs(meanA)).toBeLessThan((5 * 0.25) / Math.sqrt(3 * 5000))
    expect(Math.abs(deviationA / (0.25 / Math.sqrt(3)) - 1)).toBeLessThan(5 / Math.sqrt(2 * 5000))
    const [meanC, deviationC] = moments(c)
    expect(Math.abs(meanC)).toBeLessThan((5 * 0.5) / Math.sqrt(5000))
    expect(Math.abs(deviationC / 0.5 - 1)).toBeLessThan(5 / Math.sqrt(2 * 5000))
    expect(Array.from(views.get('b')!.data)).toEqual([7, 8, 9])
    expect(Array.from(views.get('d')!.data)).toEqual([1, 1, 1, 1])
    expect(Array.from(views.get('e')!.data)).toEqual([0, 0, 0, 0])
  })

  test('begin from (seed, name) alone: neighbours and order do not matter', () => {
    const whole = begin(specs, 1).views
    const reversed = begin(specs.toReversed(), 1).views
    const alone = begin([specs[2]!], 1).views
    expect(reversed.get('a')!.data).toEqual(whole.get('a')!.data)
    expect(alone.get('c')!.data).toEqual(whole.get('c')!.data)
    expect(begin(specs, 2).views.get('a')!.data).not.toEqual(whole.get('a')!.data)
    expect(begin([{ ...specs[0]!, name: 'z' }], 1).views.get('z')!.data).not.toEqual(
      whole.get('a')!.data,
    )
  })

  test('decay spares vectors unless everything decays', () => {
    const { table } = begin(specs, 1)
    expect(optimizerGroups(table, false).map(({ decays }) => decays)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
    expect(optimizerGroups(table, true).every(({ decays }) => decays)).toBe(true)
  })
})

describe('the registry', () => {
  test('finds each method by its name, and names are unique', () => {
    for (const method of METHODS) expect(findMethod(method.name)).toBe(method)
    expect(new Set(METHODS.map(({ name }) => name)).size).toBe(METHODS.length)
  })

  test('an unknown name is refused with a near one', () => {
    expect(() => findMethod('fulll')).toThrow('"fulll"')
    expect(() => findMethod('fulll')).toThrow(
      expect.objectContaining({ code: 'usage.unknown-name', remedy: 'Did you mean full?' }),
    )
  })
})
