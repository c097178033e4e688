/** @file Networks on the digits, trained side by side: their rows, their blocks, and that they fit. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CellResult } from '../../../../evals/contract/sweeps.ts'
import { planCells } from '../../../../evals/sweeps/cells/cell.ts'
import { passesOf, type Pass } from '../../../../evals/sweeps/cells/passes.ts'
import { createCellRunner } from '../../../../evals/sweeps/cells/run-cell.ts'
import { SweepConfig } from '../../../../evals/sweeps/config.ts'
import { digits } from '../../../../evals/sweeps/testbeds/digits/digits.ts'
import { digitsLora } from '../../../../evals/sweeps/testbeds/digits/digits-lora.ts'
import { digitsTransformerLora } from '../../../../evals/sweeps/testbeds/digits/digits-transformer-lora.ts'
import { digitRows } from '../../../../evals/sweeps/testbeds/digits/rows.ts'

const { signal } = new AbortController()
const parse = (own: Record<string, number>) => digits.config.parse(own)

describe('the rows of a trial', () => {
  it('are nested in their number, wrong in their share, and tested on others that are clean', () => {
    const few = digitRows({ samples: 100, labelNoise: 0.2 }, 3)
    const many = digitRows({ samples: 700, labelNoise: 0.4 }, 3)
    const clean = digitRows({ samples: 700, labelNoise: 0 }, 3)
    expect(many.train.x.slice(0, few.train.x.length)).toEqual(few.train.x)
    expect(many.test).toEqual(few.test)
    expect(many.test.labels).toHaveLength(1000)
    const wrong = clean.train.labels.map((label, row) => label !== many.train.labels[row])
    const share = wrong.filter(Boolean).length / 700
    expect(Math.abs(share - 0.4)).toBeLessThan(4 * Math.sqrt((0.4 * 0.6) / 700))
    // A larger share of noise contains a smaller one.
    few.train.labels.forEach((label, row) => {
      if (label !== clean.train.labels[row]) expect(label).toBe(many.train.labels[row])
    })
    expect(digitRows({ samples: 1500, labelNoise: 0 }, 3).test.labels).toHaveLength(297)
  })
})

describe('a block of seeds', () => {
  it('gives each seed what its own run gives, and seeds differ', async () => {
    const config = parse({ width: 7, samples: 53, epochs: 23, labelNoise: 0.4 })
    const block = await digits.together!.run(config, 1, signal)
    expect(block).toHaveLength(digits.together!.block)
    expect(await digits.run(config, 12, signal)).toEqual(block[2])
    expect(block[2]).not.toEqual(block[3])
    const epochs = block[0]!.curve!.filter(({ name }) => name === 'test-error').map(({ x }) => x)
    expect([epochs[0], epochs.at(-1)]).toEqual([1, 23])
    const later = await digits.together!.run({ ...config, firstLook: 20 }, 1, signal)
    const looks = later[0]!.curve!.filter(({ name }) => name === 'test-error').map(({ x }) => x)
    expect(looks).toEqual([20, 21, 22, 23])
    expect(later[0]!.testError).toBe(block[0]!.testError)
    const last = block[0]!.curve!.filter(({ x }) => x === 23)
    expect(last.find(({ name }) => name === 'test-error')!.value).toBe(block[0]!.testError)
  })

  it('interpolates wrong labels where it is wide, at the cost of its test error', async () => {
    const run = (width: number) =>
      digits.together!.run(parse({ width, samples: 60, epochs: 150, labelNoise: 0.4 }), 0, signal)
    const [narrow, wide] = [await run(2), await run(32)]
    for (const { trainError } of narrow) expect(trainError).toBeGreaterThan(0.2)
    for (const { trainError, testError, metrics } of wide) {
      expect(trainError).toBe(0)
      expect(testError).toBeGreaterThan(metrics!['best-test-error']!)
    }
  })

  it('stops where it is told to', async () => {
    const config = parse({ epochs: 100_000 })
    await expect(digits.run(config, 0, AbortSignal.abort('stop'))).rejects.toBe('stop')
    const controller = new AbortController()
    setTimeout(() => controller.abort('later'), 30)
    await expect(digits.run(config, 0, controller.signal)).rejects.toBe('later')
  })
})

describe.each([
  { title: digitsLora.title, bed: digitsLora, width: 16 },
  { title: digitsTransformerLora.title, bed: digitsTransformerLora, width: 6 },
])('$title', ({ bed, width }) => {
  it('learns the successors better at rank 16 than at rank 1, and starts from the base', async () => {
    const run = (rank: number) => {
      const own = { rank, width, samples: 60, epochs: 100 }
      return bed.together!.run(bed.config.parse(own), 0, signal)
    }
    const [low, high] = [await run(1), await run(16)]
    const mean = (of: typeof low) => of.reduce((sum, { testError }) => sum + testError, 0) / 10
    expect(mean(high)).toBeLessThan(mean(low) - 0.1)
    // Before it has learnt the task, the base tells the digit and never its successor.
    for (const { curve } of high) expect(curve![1]!.value).toBeGreaterThan(0.8)
  })
})

describe('a pass that was stopped', () => {
  it('goes on with the cells that are left, which have the bits of an undisturbed one', async () => {
    const config = SweepConfig.parse({
      testbed: 'digits',
      axes: ['width=3', 'samples=20', 'epochs=12'],
      seeds: ['8..11'],
    })
    const identity = { base: null, data: null, prompts: null, numerics: '1' }
    const passes = passesOf(planCells(config, identity))
    expect(passes.map(({ cells }) => cells.map(({ spec }) => spec.seed))).toEqual([
      [8, 9],
      [10, 11],
    ])
    const runner = () =>
      createCellRunner(join(mkdtempSync(join(tmpdir(), 'touchstone-passes-')), 'plan.jsonl'))
    const [{ cells }] = passes as [Pass]
    const plain = (results: readonly CellResult[]) => results.map(({ seconds: _, ...rest }) => rest)
    const whole = plain(await runner().run(cells, signal))
    const [left] = plain(await runner().run([cells[1]!], signal))
    expect(whole.map(({ status }) => status)).toEqual(['done', 'done'])
    expect(left).toEqual(whole[1])
  })
})
