/** @file The task of guided diffusion: what one call and two calls cost, a teacher that is its own pupil, files of digits. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { opticalDigits } from '../../../evals/bundled/digits/digits.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const FEW = ['--steps', '2', '--base-steps', '20', '--limit', '12', '--threads', '1', '--exit-zero']
const CHEAP = ['--no-spectra', '--no-match-loss', '--methods', 'lora', '--ranks', '2']

test('the digits are UCI’s: 1,797 of them, each class about as often', () => {
  const digits = opticalDigits()
  const counts = Array.from(
    { length: 10 },
    (_, d) => digits.filter((row) => row.digit === d).length,
  )
  expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  const values = digits.flatMap(({ pixels }) => [...pixels])
  expect([Math.min(...values.slice(0, 6400)), Math.max(...values.slice(0, 6400))]).toEqual([-1, 1])
})

describe('guidance of weight 1 in a mixture', () => {
  let measured: (name: string, arm: string) => number
  let results: Results
  beforeAll(async () => {
    const out = ['--base', 'mixture/1', ...FEW, ...CHEAP, '--out-dir', join(folder, 'mixture')]
    const { code, stderr } = await runCommand(['task', 'guided-diffusion', ...out], {}, COMMANDS)
    expect(code, stderr).toBe(0)
    results = Results.parse(
      JSON.parse(readFileSync(join(folder, 'mixture', 'results.json'), 'utf8')),
    )
    measured = (name, arm) =>
      results.artifacts.flatMap(({ content }) =>
        content?.kind === 'task-measure' && content.name === name && content.arm === arm
          ? (content.value ?? [])
          : [],
      )[0]!
  })

  test('is the condition alone, so the base is its own teacher', () => {
    expect(measured('guidance-gap', 'base')).toBeLessThan(1e-10)
    expect(measured('guided-energy-distance', 'base')).toBeCloseTo(
      measured('one-call-energy-distance', 'base'),
      4,
    )
    expect(measured('closed-form-gap', 'base')).toBeGreaterThan(1e-3)
  })

  test('one call a step is half of the teacher’s', () => {
    const calls = ['one-call-calls', 'guided-calls'].map((name) => measured(name, 'base'))
    expect([...calls, measured('one-call-calls', 'lora-r2')]).toEqual([50, 100, 50])
    expect(measured('guided-calls', 'lora-r2')).toBeUndefined()
  })

  test('an adapter holds the network once, and its own numbers four times', () => {
    const [task] = results.artifacts.flatMap(({ content }) =>
      content?.kind === 'task' ? content : [],
    )
    // Four layers of 64 × 64 in blocks; 19,074 numbers in all.
    const trained = 4 * 2 * (64 + 64)
    expect(task!.sizes).toEqual([{ arm: 'lora-r2', trained, bytes: 4 * (numbers() + 4 * trained) }])
  })
  /** input, prompt, time.in, time.out, blocks, output with their biases. */
  const numbers = () => 64 * 2 + 64 + 5 * 64 + (64 * 32 + 64) + (64 * 64 + 64) * 5 + (2 * 64 + 2)
})

describe('files', () => {
  const header = 'digit,pixels\n'
  const blank = Array.from({ length: 64 }, () => 0).join(' ')
  const ran = async (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    const out = [...FEW, ...CHEAP, '--out-dir', join(folder, `${name}-out`)]
    return runCommand(['task', 'guided-diffusion', '--file', path, ...out], {}, COMMANDS)
  }
  test('belong to digits alone', async () => {
    const asked = ['--base', 'mixture/3', '--file', join(folder, 'any.csv'), '--out-dir', folder]
    const { code, stderr } = await runCommand(['task', 'guided-diffusion', ...asked], {}, COMMANDS)
    expect([code, stderr.includes('A mixture takes no file')], stderr).toEqual([2, true])
  })

  test.each([
    ['few.csv', `${header}3,1 2 3\n`, 'few.csv, row 1: the pixels are no 64 numbers'],
    ['odd.csv', `${header}3,${blank.replace('0', 'NaN')}\n`, 'odd.csv, row 1: the pixels'],
    ['class.csv', `${header}x,${blank}\n`, 'row 1: the label "x" is none'],
    ['columns.csv', 'digit\n3\n', 'lacks pixels'],
    ['one.csv', `${header}3,${blank}\n`, 'rows of one group alone'],
    ['empty.csv', '', 'empty.csv'],
  ])('%s is an error that names what is wrong', async (name, text, words) => {
    const { code, stderr } = await ran(name, text)
    expect([code > 0, stderr.includes('bug')]).toEqual([true, false])
    expect(stderr).toContain(words)
  })
})
