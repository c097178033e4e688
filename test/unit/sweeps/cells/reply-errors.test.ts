/** @file Errors on replies: what counts as learnt, and that fine-tunes on noisy labels have them and others do not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import type { CellResult } from '../../../../evals/contract/sweeps.ts'
import { shareUnlearnt } from '../../../../evals/sweeps/cells/reply-errors.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

const reply = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log)

test('a reply is learnt where all its tokens together have more than half of the probability', () => {
  expect(shareUnlearnt([reply(0.9, 0.8), reply(0.9, 0.5), reply(1), reply(0.01)])).toBe(0.5)
  expect(shareUnlearnt([reply(0.5)])).toBe(1)
  expect(shareUnlearnt([reply(0.51)])).toBe(0)
})

describe('a fine-tune of Pebble', () => {
  test('on noisy replies has both errors along its training, and on clean ones has none', async () => {
    const out = freshFolder()
    const argv = ['sweep', '--model', 'pebble', '--data', 'house-benign', '--methods', 'lora']
    const few = [
      '--suite',
      'house-capability',
      '--limit',
      '2',
      '--steps',
      '12',
      '--batch-size',
      '6',
    ]
    const fast = ['--learning-rate', '0.02', '--axis', 'samples=6', '--axis', 'label-noise=0,0.5']
    const all = [...argv, ...few, ...fast, '--jobs', '1', '--exit-zero', '--out-dir', out]
    const { code } = await runCommand(all, {}, COMMANDS)
    expect(code).toBe(0)
    const [clean, noisy] = cellsOf(out)
    const names = ({ metrics }: CellResult) => metrics.map(({ name }) => name)
    expect(names(clean!).filter((name) => name.endsWith('-error'))).toEqual([])
    const errors = ['train-error', 'test-error', 'best-test-error']
    expect(names(noisy!)).toEqual(expect.arrayContaining(errors))
    const curve = (name: string) => noisy!.curves.find((each) => each.name === name)!.y
    expect(curve('train-error')).toHaveLength(10)
    // At such a rate six rows are learnt: the tokens that a step trains on are those that are scored.
    expect(curve('train-error')[0]).toBeGreaterThan(0.5)
    expect(curve('train-error').at(-1)).toBeLessThan(0.2)
    expect(curve('test-error').at(-1)).toBeGreaterThan(0.2)
  }, 120_000)
})

/** Of fine-tunes, by their noise. */
function cellsOf(out: string): CellResult[] {
  const [id] = readdirSync(join(out, 'sweeps'))
  const folder = join(out, 'sweeps', id!)
  const lines = readFileSync(join(folder, 'plan.jsonl'), 'utf8').trimEnd().split('\n')
  return lines
    .map((line) => JSON.parse(line) as { key: string; spec?: { method: string | null } })
    .filter(({ spec }) => spec !== undefined && spec.method !== null)
    .map(({ key }) => readFileSync(join(folder, 'cells', `${key}.json`), 'utf8'))
    .map((text) => JSON.parse(text) as CellResult)
}
