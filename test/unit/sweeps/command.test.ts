/** @file What `touchstone sweep` refuses, and what it only shows. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/commands/registry.ts'
import { freshFolder, runCommand } from '../../doubles/command-line.ts'

const sweep = (argv: readonly string[]) => runCommand(['sweep', ...argv], {}, COMMANDS)
const MODEL = ['--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora']

describe('is refused', () => {
  test.each([
    ['nothing at all', [], 'nothing to sweep over'],
    ['a model and a testbed', [...MODEL, '--testbed', 'random-features'], 'both were named'],
    ['a model without methods', ['--model', 'pebble', '--data', 'house-tamper'], 'missing'],
    ['a testbed with methods', ['--testbed', 'random-features', '--methods', 'lora'], 'no methods'],
    ['another model without a purpose', ['--model', 'm', ...MODEL.slice(2)], 'needs a purpose'],
    ['an unknown preset', ['--preset', 'pebble-ranks'], 'no preset named'],
    ['a wrong seed', [...MODEL, '--seeds', 'one'], '--seeds cannot be'],
    ['a wrong axis', [...MODEL, '--axis', 'rank'], '--axis cannot be'],
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
    expect([code, stderr]).toEqual([2, expect.stringContaining('the data holds 600')])
  })
})

test('a dry run counts cells and changes nothing', async () => {
  const out = freshFolder()
  const argv = ['--preset', 'double-descent-rf', '--seeds', '0..1', '--out-dir', out, '--dry-run']
  const { code, stdout } = await sweep(argv)
  expect(code).toBe(0)
  expect(stdout).toContain('22 cells')
  expect(readdirSync(out)).toEqual([])
})
