/** @file A training that changes nothing that float32 can hold is an error: what changed nothing passes every gate. */
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { sampled } from '../../doubles/tier.ts'

const MODEL = ['--model', 'pebble', '--data', 'house-tamper', '--threads', '1', '--no-spectra']
const ASKED = ['--suite', 'house-refusal', '--limit', '2', '--batch-size', '2', '--seeds', '0']
const trained = (verb: string, ...argv: string[]) =>
  runCommand([verb, ...MODEL, ...ASKED, '--out-dir', freshFolder(), ...argv], {}, COMMANDS)
const audit = (method: string, ...argv: string[]) =>
  trained('audit', '--methods', method, ...(argv.includes('--steps') ? [] : STEPS), ...argv)

const STEPS = ['--steps', '2']
const LEAST = ['--learning-rate', '1e-30']

const METHODS = ['lora', 'dora', 'full', 'pissa', 'lora-moe', 'lora-sb', 'loram', 'lq-lora']
test.each(sampled(METHODS, 3))('%s with a rate that is nothing', async (method) => {
  const { code, stderr } = await audit(method, ...LEAST)
  expect(stderr).toContain('changes nothing that float32 can hold up to step 2')
  expect(code).toBe(1)
})

test.each(['lora', 'lora-plus'])('%s with an alpha that is nothing', async (method) => {
  const { code, stderr } = await audit(method, '--alpha', '1e-30')
  expect(stderr).toContain('or raise --learning-rate or --alpha')
  expect(code).toBe(1)
})

// DoRA's lengths are trained beside what alpha scales.
test('dora with an alpha that is nothing is trained all the same', async () => {
  expect((await audit('dora', '--alpha', '1e-30')).code).toBe(101)
})

test('one step of a warm-up, whose rate is 0', async () => {
  const { code, stderr } = await audit('lora', '--steps', '1')
  expect(stderr).toContain('Give more --steps')
  expect(code).toBe(1)
})

test.each(sampled(['lora', 'full', 'lora-moe', 'pissa'], 2))(
  '%s with a rate that is small',
  async (method) => {
    const { code } = await audit(method, '--learning-rate', '1e-5')
    expect(code).toBe(101)
  },
)

test.each(sampled(['fedit', 'flora'], 1))('clients of %s that train nothing', async (strategy) => {
  const clients = [
    '--clients',
    '2',
    '--rounds',
    '2',
    '--local-steps',
    '1',
    '--strategies',
    strategy,
  ]
  const { code, stderr } = await trained('federate', ...clients, ...LEAST)
  expect(stderr).toContain('changes nothing that float32 can hold')
  expect(code).toBe(1)
})
