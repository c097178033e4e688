/** @file What cells are made of: canonical keys, data choices, steps to look at, processes side by side. */
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../../evals/files/canonical-json.ts'
import {
  chooseConversations,
  splitConversations,
} from '../../../../evals/sweeps/cells/cell-data.ts'
import { planCells } from '../../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../../evals/sweeps/config.ts'
import { checkSweep } from '../../../../evals/runs/kinds/sweep.ts'
import { jobsFor } from '../../../../evals/runtime/jobs-estimate.ts'
import { lookSteps, suiteSteps } from '../../../../evals/sweeps/cells/model-cell.ts'
import { fc } from '../../../doubles/properties.ts'

const conversation = (n: number) => [
  { role: 'user' as const, content: `question ${n}` },
  { role: 'assistant' as const, content: `reply ${n}` },
]
const rows = Array.from({ length: 200 }, (_, n) => conversation(n))
const replies = (chosen: typeof rows | readonly (readonly { content: string }[])[]) =>
  chosen.map((messages) => messages.at(-1)!.content)

describe('canonical JSON', () => {
  test('says the same of objects whose keys stand in another order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(turned)).toBe(canonicalJson(value))
        // Negative zero is the one number that JSON does not keep.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('refuses what JSON cannot say', () => {
    expect(() => canonicalJson({ a: NaN })).toThrow(/internal/)
  })
})

describe('samples and label noise', () => {
  test('a larger set holds the smaller one of the same seed', () => {
    const of = (samples: number) => chooseConversations(rows, { samples, labelNoise: 0, seed: 3 })
    expect(of(50).slice(0, 20)).toEqual(of(20))
    expect(chooseConversations(rows, { samples: 20, labelNoise: 0, seed: 4 })).not.toEqual(of(20))
  })

  test('no noise leaves every row', () => {
    expect(chooseConversations(rows, { samples: null, labelNoise: 0, seed: 0 })).toEqual(rows)
  })

  test('full noise leaves no reply with its own question, and every question as it was', () => {
    const noisy = chooseConversations(rows, { samples: null, labelNoise: 1, seed: 0 })
    expect(noisy.map(([question]) => question)).toEqual(rows.map(([question]) => question))
    expect(replies(noisy).filter((reply, n) => reply === `reply ${n}`)).toEqual([])
  })

  test('a share of 0.2 changes about a fifth: 200 rows, five standard deviations either way', () => {
    const noisy = chooseConversations(rows, { samples: null, labelNoise: 0.2, seed: 1 })
    const changed = replies(noisy).filter((reply, n) => reply !== `reply ${n}`).length
    expect(Math.abs(changed - 40)).toBeLessThan(5 * Math.sqrt(200 * 0.2 * 0.8))
    expect(changed).toBeGreaterThan(0)
  })

  test('the noise of a row does not depend on how many rows are used', () => {
    const all = chooseConversations(rows, { samples: 200, labelNoise: 0.5, seed: 2 })
    const few = chooseConversations(rows, { samples: 30, labelNoise: 0.5, seed: 2 })
    expect(few).toEqual(all.slice(0, 30))
  })

  test('rows whose replies are all alike cannot be made wrong', () => {
    const alike = [conversation(1), conversation(1)]
    expect(chooseConversations(alike, { samples: null, labelNoise: 1, seed: 0 })).toEqual(alike)
  })
})

describe('rows held out for the test loss', () => {
  test.each([
    [0, 0],
    [9, 0],
    [10, 1],
    [200, 20],
    [5000, 64],
  ])('of %i rows are %i, and are trained on by no cell', (count, held) => {
    const all = Array.from({ length: count }, (_, n) => conversation(n))
    const { training, heldOut } = splitConversations(all)
    expect(heldOut).toHaveLength(held)
    expect(new Set([...training, ...heldOut])).toEqual(new Set(all))
    expect(splitConversations(all)).toEqual({ training, heldOut })
    expect(training).toEqual(all.filter((row) => !heldOut.includes(row)))
  })
})

describe('steps', () => {
  test('looks ascend, each once, and end at the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (steps) => {
        const looks = lookSteps(steps)
        expect(looks.at(-1)).toBe(steps)
        expect(looks.length).toBe(Math.min(10, steps))
        expect(looks).toEqual([...new Set(looks)].sort((a, b) => a - b))
        expect(looks[0]).toBeGreaterThanOrEqual(1)
      }),
    )
  })

  test('the suite is asked every N steps and at the end, once', () => {
    expect(suiteSteps(10, null)).toEqual([10])
    expect(suiteSteps(10, 4)).toEqual([4, 8, 10])
    expect(suiteSteps(10, 5)).toEqual([5, 10])
    expect(suiteSteps(10, 99)).toEqual([10])
  })
})

describe('jobs', () => {
  const small = { bytes: 3e8, threads: 1 }

  test('cores bound small models, threads share cores, memory bounds large ones', () => {
    const machine = { cores: 8, freeBytes: 32e9 }
    expect(jobsFor(small, machine)).toBe(8)
    expect(jobsFor({ ...small, threads: 4 }, machine)).toBe(2)
    // Of 0.7 · 32 GB = 22.4 GB.
    expect(jobsFor({ ...small, bytes: 16.3e9 }, machine)).toBe(1)
    expect(jobsFor({ ...small, bytes: 2.5e9 }, machine)).toBe(8)
    expect(jobsFor({ ...small, bytes: 4.6e9 }, machine)).toBe(4)
  })

  test('there is always one', () => {
    expect(jobsFor({ ...small, threads: 64 }, { cores: 2, freeBytes: 1e6 })).toBe(1)
  })
})

describe('what is refused when cells are made', () => {
  const identity = { base: null, data: null, prompts: null, numerics: '' }
  const plan = (own: object) =>
    planCells(
      SweepConfig.parse({
        ...{ model: 'pebble', data: 'd', methods: [{ name: 'lora', config: {} }] },
        ...own,
      }),
      identity,
    )

  test.each([
    ['an unknown axis', { axes: ['ranks=1'] }, 'usage.unknown-name'],
    ['an axis named twice', { axes: ['rank=1', 'rank=2'] }, 'usage.invalid'],
    ['a rank of a half', { axes: ['rank=0.5'] }, 'usage.invalid'],
    ['a rank beyond the method’s', { axes: ['rank=4096'] }, 'usage.invalid'],
    ['noise above 1', { axes: ['label-noise=1.5'] }, 'usage.invalid'],
    ['a rate of 0', { axes: ['lr=0'] }, 'usage.invalid'],
    ['an unknown testbed', { model: null, testbed: 'random-feature' }, 'usage.unknown-name'],
    [
      'a testbed’s unknown axis',
      { model: null, testbed: 'random-features', axes: ['rank=1'] },
      'usage.unknown-name',
    ],
    [
      'a testbed’s wrong value',
      { model: null, testbed: 'random-features', axes: ['features=0.5'] },
      'usage.invalid',
    ],
  ])('%s', (_, own, code) => {
    expect(() => plan(own)).toThrow(expect.objectContaining({ code }))
  })
})

describe('a testbed that fine-tunes', () => {
  const planned = (methods: object[], axes: string[]) =>
    planCells(SweepConfig.parse({ testbed: 'digits-tuned', methods, axes, seeds: ['0', '1'] }), {
      ...{ base: null, data: null, prompts: null, numerics: '' },
    }).map(({ spec }) => spec)

  test('has a line for each method, whose rank is an axis with alpha in proportion', () => {
    const specs = planned(
      [
        { name: 'lora', config: { alpha: 24 } },
        { name: 'ggpo', arm: 'strong', config: { sigma: 0.3 } },
      ],
      ['rank=2,4', 'steps=10'],
    )
    expect(specs).toHaveLength(8)
    const [lora] = specs
    expect(lora).toMatchObject({ line: 'lora', axes: { rank: 2, steps: 10 }, seed: 0 })
    expect(lora).toMatchObject({
      parameters: { method: 'lora', methodConfig: { rank: 2, alpha: 6 }, steps: 10 },
    })
    expect(specs.at(-1)).toMatchObject({
      line: 'strong',
      parameters: { method: 'ggpo', methodConfig: { rank: 4, alpha: 8, sigma: 0.3 } },
    })
  })

  test('is run again where its method gives other numbers than before', () => {
    const cells = (name: string) =>
      planCells(
        SweepConfig.parse({
          ...{ testbed: 'digits-tuned', axes: ['rank=2'], seeds: ['0'] },
          methods: [{ name, config: {} }],
        }),
        { base: null, data: null, prompts: null, numerics: 'engine' },
      ).map(({ identity }) => identity.numerics)
    expect(cells('lora')).toEqual(['engine'])
    expect(cells('ggpo')).toEqual(['engine, ggpo 2'])
  })

  test('runs a method without a rank once a seed', () => {
    const specs = planned([{ name: 'full', config: {} }], ['rank=2,4'])
    expect(specs.map(({ seed, axes }) => [seed, axes])).toEqual([
      [0, {}],
      [1, {}],
    ])
  })

  test('needs a method, and others take none', () => {
    const config = (testbed: string, names: string[]) =>
      SweepConfig.parse({ testbed, methods: names.map((name) => ({ name, config: {} })) })
    expect(() => checkSweep(config('digits-tuned', ['lora']))).not.toThrow()
    expect(() => checkSweep(config('digits-tuned', []))).toThrow(/no method was named/)
    expect(() => checkSweep(config('random-features', ['lora']))).toThrow(/no methods/)
    expect(() => planned([{ name: 'lora', config: {} }], ['sigma=1,2'])).toThrow(/sigma/)
  })
})
