/** @file The laws of sweeps: planning is pure, keys are unique and mean the cell; every axis and preset keeps its word. */
import { describe, expect, test } from 'vitest'
import { PlannedCell, type CellIdentity } from '../../evals/contract/sweeps.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { AXES, type Draft } from '../../evals/sweeps/axes.ts'
import { planCells } from '../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../evals/sweeps/config.ts'
import { planText, sweepId } from '../../evals/sweeps/files.ts'
import { PRESET_NAMES } from '../../evals/sweeps/preset-names.ts'
import { PRESETS } from '../../evals/sweeps/presets.ts'
import { TESTBEDS } from '../../evals/sweeps/testbeds/registry.ts'
import { checkSweep } from '../../evals/runs/kinds/sweep.ts'
import { fc } from '../doubles/properties.ts'

const identity: CellIdentity = { base: 'b', data: 'd', prompts: 'p', numerics: 'n' }
const names = METHODS.map(({ name }) => name)

const anyConfig = fc
  .record({
    methods: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    ranks: fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 3 }),
    noise: fc.uniqueArray(fc.constantFrom(0, 0.1, 0.5, 1), { minLength: 1, maxLength: 2 }),
    seeds: fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 3 }),
  })
  .map(({ methods, ranks, noise, seeds }) =>
    SweepConfig.parse({
      model: 'pebble',
      data: 'house-tamper',
      methods: methods.map((name) => ({ name, config: {} })),
      axes: [`rank=${ranks.join(',')}`, `label-noise=${noise.join(',')}`],
      seeds: seeds.map(String),
    }),
  )

describe('planning', () => {
  test('is pure, and gives each cell its own key and place', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const cells = planCells(config, identity)
        expect(planCells(structuredClone(config), { ...identity })).toEqual(cells)
        expect(new Set(cells.map(({ key }) => key)).size).toBe(cells.length)
        expect(cells.map(({ position }) => position)).toEqual(cells.map((_, i) => i))
        for (const cell of cells)
          expect(PlannedCell.parse(JSON.parse(JSON.stringify(cell)))).toEqual(cell)
      }),
      { numRuns: 40 },
    )
  })

  test('a cell keeps its key when the grid around it grows or is written in another order', () => {
    const config = (axes: string[], seeds: string[]) =>
      SweepConfig.parse({
        ...{ model: 'pebble', data: 'd', methods: [{ name: 'lora', config: {} }], axes, seeds },
      })
    const keys = (axes: string[], seeds: string[]) =>
      planCells(config(axes, seeds), identity).map(({ key }) => key)
    const small = keys(['rank=1,4'], ['0'])
    const grown = new Set(keys(['rank=1,4,16'], ['0..2']))
    expect(small.filter((key) => !grown.has(key))).toEqual([])
    const turned = keys(['steps=5,10', 'rank=1,4'], ['0'])
    expect(turned.toSorted()).toEqual(keys(['rank=4,1', 'steps=10,5'], ['0']).toSorted())
  })

  test.each(['base', 'data', 'prompts', 'numerics'] as const)('keys change with %s', (field) => {
    const config = SweepConfig.parse({
      ...{
        model: 'pebble',
        data: 'd',
        methods: [{ name: 'lora', config: {} }],
        axes: ['rank=1,2'],
      },
    })
    const before = planCells(config, identity).filter(({ spec }) => spec.line !== 'base')
    const after = planCells(config, { ...identity, [field]: 'other' }).map(({ key }) => key)
    expect(before.filter(({ key }) => after.includes(key))).toEqual([])
  })

  test('a method that an axis cannot change is run once a seed, not once a value', () => {
    const config = SweepConfig.parse({
      ...{ model: 'pebble', data: 'd', methods: [{ name: 'full', config: {} }] },
      axes: ['rank=1,2,4'],
      seeds: ['0', '1'],
    })
    const tuned = planCells(config, identity).filter(({ spec }) => spec.line === 'full')
    expect(tuned.map(({ spec }) => [spec.seed, spec.axes])).toEqual([
      [0, {}],
      [1, {}],
    ])
  })

  test('the plan is one line a cell, and its folder’s name follows from the keys', () => {
    const config = SweepConfig.parse({ testbed: TESTBEDS[0]!.name, seeds: ['0..2'] })
    const cells = planCells(config, identity)
    expect(planText(cells).trimEnd().split('\n')).toHaveLength(3)
    expect(sweepId(cells)).toMatch(/^[0-9a-f]{16}$/)
    expect(sweepId(cells.slice(1))).not.toBe(sweepId(cells))
  })
})

describe.each(AXES)('axis $name', (axis) => {
  const draft: Draft = {
    kind: 'model',
    line: 'lora',
    seed: 0,
    threads: 1,
    model: 'pebble',
    data: 'd',
    method: 'lora',
    methodConfig: { rank: 8, alpha: 16 },
    training: { steps: 100, learningRate: 1e-3 },
    samples: null,
    labelNoise: 0,
    suite: ['house'],
    limit: null,
    evalEvery: null,
    spectra: false,
    batchSize: 16,
  }

  test('changes the draft, leaves what it was given, and gives other values other drafts', () => {
    const copy = structuredClone(draft)
    const values = [0, 0.5, 1, 2].filter((value) => axis.accepts(value))
    const made = values.map((value) => axis.apply(draft, value))
    expect(draft).toEqual(copy)
    expect(new Set(made.map((each) => JSON.stringify(each))).size).toBe(values.length)
  })

  test.each([-1, NaN, Infinity, 1e9 + 0.5])('refuses %d', (value) => {
    expect(axis.accepts(value)).toBe(false)
  })
})

test('the rank axis keeps alpha / rank', () => {
  const config = SweepConfig.parse({
    model: 'pebble',
    data: 'd',
    axes: ['rank=1,64'],
    methods: [{ name: 'lora', config: { rank: 8, alpha: 16 } }],
  })
  const configs = planCells(config, identity).flatMap(({ spec }) =>
    spec.kind === 'model' && spec.method === 'lora' ? [spec.methodConfig] : [],
  )
  expect(configs.map(({ rank, alpha }) => [rank, alpha])).toEqual([
    [1, 2],
    [64, 128],
  ])
})

describe.each(PRESET_NAMES)('preset %s', (name) => {
  const config = SweepConfig.parse({ ...PRESETS[name], preset: name })

  test('is a sweep that could be run as it stands', () => {
    expect(() => checkSweep(config)).not.toThrow()
    expect(planCells(config, identity).length).toBeGreaterThan(10)
  })
})

test('pebble-rank asks at least 120 prompts of each kind after at least 150 steps, over five seeds', () => {
  const config = SweepConfig.parse(PRESETS['pebble-rank'])
  expect(config.limit).toBeGreaterThanOrEqual(120)
  expect(config.training.steps).toBeGreaterThanOrEqual(150)
  const cells = planCells(config, identity)
  expect(cells).toHaveLength(1 + config.methods.length * 4 * 5)
})

test('double-descent-rf crosses the interpolation threshold with forty seeds', () => {
  const cells = planCells(SweepConfig.parse(PRESETS['double-descent-rf']), identity)
  const at = (features: number) => cells.filter(({ spec }) => spec.axes['features'] === features)
  expect([10, 40, 160].map((features) => at(features).length)).toEqual([40, 40, 40])
})
