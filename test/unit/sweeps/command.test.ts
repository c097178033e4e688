/** @file What `touchstone sweep` refuses, and what it only shows. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { ModelCellSpec } from '../../../evals/contract/sweeps.ts'
import { jobFields, readJobRequest } from '../../../evals/cli/job-options.ts'
import { commandLine } from '../../../evals/runs/options/reproduce.ts'
import { SweepConfig } from '../../../evals/sweeps/config.ts'
import type { PresetName } from '../../../evals/sweeps/preset-names.ts'
import { PRESETS } from '../../../evals/sweeps/presets.ts'
import { cellSecondsOn } from '../../../evals/sweeps/estimate.ts'
import { openCellInputs } from '../../../evals/sweeps/cells/model-cell.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const sweep = (argv: readonly string[]) => runCommand(['sweep', ...argv], {}, COMMANDS)
const MODEL = ['--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora']

describe('an axis beside a preset', () => {
  const fields = jobFields(SweepConfig, true)
  const presetAxes = (name: PresetName) => PRESETS[name]['axes'] as string[]
  const axesBy = (argv: readonly string[], preset: PresetName) => {
    const layer = { ...PRESETS[preset], preset }
    const request = readJobRequest(SweepConfig, fields, { argv, environment: {}, preset: layer })
    const config = request.config() as SweepConfig
    const words = commandLine('sweep', fields.own, config, { preset: layer }).split(' ').slice(2)
    return { axes: config.axes, words }
  }
  test.each([
    ['replaces the one of its name', ['width=4,8'], ['width=4,8', 'label-noise=0.2']],
    [
      'stands after the others',
      ['epochs=9'],
      ['width=4,8,12,16,24,32,64', 'label-noise=0.2', 'epochs=9'],
    ],
    ['without values leaves its own out', ['label-noise='], ['width=4,8,12,16,24,32,64']],
    [
      'may leave out one and change another',
      ['width=', 'label-noise=0,0.4'],
      ['label-noise=0,0.4'],
    ],
  ])('%s, and the line that is recorded says so', (_, given, wanted) => {
    const argv = given.flatMap((axis) => ['--axis', axis])
    const { axes, words } = axesBy(argv, 'double-descent-digits')
    expect(axes).toEqual(wanted)
    expect(axesBy(words, 'double-descent-digits').axes).toEqual(wanted)
  })

  test('is none where none is given', () => {
    expect(axesBy([], 'lora-ggpo')).toEqual({ axes: presetAxes('lora-ggpo'), words: [] })
  })
})

describe('is refused', () => {
  test.each([
    ['nothing at all', [], 'nothing to sweep over'],
    [
      'a model and a testbed',
      [...MODEL, '--testbed', 'random-features'],
      'more than one was named',
    ],
    ['a task and a testbed', ['--task', 'rna', '--testbed', 'iris-mlp'], 'more than one was named'],
    ['an unknown task', ['--task', 'dna'], 'no task named'],
    ['a task with data', ['--task', 'rna', '--data', 'house-tamper'], 'its own data'],
    ['a method that a task cannot take', ['--task', 'rna', '--methods', 'x-lora'], 'does not fit'],
    ['a model without methods', ['--model', 'pebble', '--data', 'house-tamper'], 'missing'],
    ['a testbed with methods', ['--testbed', 'random-features', '--methods', 'lora'], 'no methods'],
    ['another model without a purpose', ['--model', 'm', ...MODEL.slice(2)], 'needs a purpose'],
    ['an unknown preset', ['--preset', 'pebble-ranks'], 'no preset named'],
    ['a wrong seed', [...MODEL, '--seeds', 'one'], '--seeds cannot be'],
    ['a wrong axis', [...MODEL, '--axis', 'rank'], '--axis cannot be'],
    [
      'an axis to leave out that the preset does not have',
      ['--preset', 'double-descent-rf', '--axis', 'feature='],
      'there is no feature.',
    ],
    ['an axis without values', [...MODEL, '--axis', 'rank='], '--axis cannot be'],
    ['a pilot of a run', ['--preset', 'refusal', '--pilot', 'p.json'], 'by --plan-power alone'],
    ['an axis that no method has', [...MODEL, '--axis', 'colour=1'], 'no axis named'],
  ])('%s', async (_, argv, problem) => {
    const out = freshFolder()
    const { code, stderr } = await sweep([...argv, '--out-dir', out])
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)])
    expect(readdirSync(out)).toEqual([])
  })

  test('more samples than the data holds', async () => {
    const out = freshFolder()
    const { code, stderr } = await sweep([...MODEL, '--axis', 'samples=9999', '--out-dir', out])
    expect([code, stderr]).toEqual([2, expect.stringContaining('the data holds 540')])
  })
})

test('a dry run counts cells and changes nothing', async () => {
  const out = freshFolder()
  const argv = ['--preset', 'double-descent-rf', '--seeds', '0..1', '--out-dir', out, '--dry-run']
  const { code, stdout } = await sweep(argv)
  expect(code).toBe(0)
  expect(stdout).toContain('22 cells')
  expect(stdout).toMatch(/about \d+ MB each, \d+ MB in all/)
  expect(stdout).toMatch(/from 3 trials of this plan, run just now, and of the tests {2}about \d/)
  expect(readdirSync(out)).toEqual([])
})

test('a plan of the power says of an axis with two places that it sees no peak', async () => {
  const out = freshFolder()
  const argv = ['--preset', 'double-descent-rf', '--axis', 'features=10,40', '--seeds', '0..4']
  const { code, stdout } = await sweep([...argv, '--plan-power', '--out-dir', out])
  expect(code).toBe(0)
  expect(stdout).toContain('at 2 places cannot see a peak along features, which needs a place on')
  expect(stdout).not.toContain('seeds that a peak needs')
  expect(readdirSync(out)).toEqual([])
})

test('a dry run of a model says that its time comes from a measured rate', async () => {
  const out = freshFolder()
  const { code, stdout } = await sweep([...MODEL, '--limit', '4', '--out-dir', out, '--dry-run'])
  expect(code).toBe(0)
  expect(stdout).toContain('2 cells')
  expect(stdout).toMatch(/rate, measured just now, and of the tests {2}about \d/)
  expect(readdirSync(out)).toEqual([])
})

test('more steps, prompts and evaluations take more time', async () => {
  const spec = { model: 'pebble', data: 'house-tamper', suite: ['house'], limit: 4 }
  const bench = await openCellInputs({ ...spec, threads: 1, batchSize: 8 })
  const secondsOf = cellSecondsOn(bench)
  await bench.base.open.close()
  const cell = (own: Partial<ModelCellSpec>) =>
    secondsOf(
      {
        ...{ kind: 'model', line: 'lora', axes: {}, seed: 0, threads: 1, ...spec, batchSize: 8 },
        ...{ method: 'lora', methodConfig: {}, training: { steps: 20 }, samples: null },
        labelNoise: 0,
        evalEvery: null,
        spectra: false,
        ...own,
      },
      1e9,
    )
  const plain = cell({})
  expect(cell({ training: { steps: 40 } })).toBeGreaterThan(plain)
  expect(cell({ evalEvery: 5 })).toBeGreaterThan(plain)
  expect(cell({ method: 'full' })).toBeGreaterThan(plain)
  // Adapters of rank 256 have more numbers than Pebble's own matrices.
  const [thin, wide] = [1, 256].map((rank) => cell({ methodConfig: { rank } }))
  expect(wide).toBeGreaterThan(2 * thin!)
  expect(cell({ method: null, data: '' })).toBeLessThan(plain)
})
