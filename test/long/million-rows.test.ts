/** @file Files of a million rows: looked at, asked of, and learnt from in bounded memory. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { freshFolder } from '../doubles/runs/command-line.ts'

const ROWS = 1_000_000
const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const MEASURE = 'process.on("exit", () => console.error("PEAK", process.resourceUsage().maxRSS))'

/** What was said, and the peak of resident memory in MB. */
function run(argv: readonly string[]) {
  const words = ['--import', `data:text/javascript,${MEASURE}`, CLI, ...argv]
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return { said: stdout + stderr, peak: Number(/PEAK (\d+)/u.exec(stderr)![1]) / 1024 }
}

describe.runIf(process.env['TOUCHSTONE_LONG'])('a million rows', { timeout: 3_600_000 }, () => {
  const folder = freshFolder()
  const [data, asked] = ['data.csv', 'asked.csv'].map((name) => join(folder, name))

  beforeAll(() => {
    write(data!, 'prompt,reply', (i) => `"What is ${i} plus ${i % 97}?","It is ${i + (i % 97)}."`)
    write(asked!, 'prompt,expected', (i) => `"What is ${i} plus ${i % 97}?",answer`)
  })

  test('are counted and checked', () => {
    const { said, peak } = run(['data', data!])
    expect(said).toContain(`${ROWS} rows`)
    expect(peak).toBeLessThan(1024)
  })

  test('are a benchmark, of which a few are asked', () => {
    const few = ['--limit', '3', '--max-new-tokens', '8', '--out-dir', freshFolder()]
    const { said, peak } = run(['eval', '--model', 'pebble', '--suite', `sums=${asked}`, ...few])
    expect(said).toContain(`3 prompts from ${ROWS} rows`)
    expect(peak).toBeLessThan(2048)
  })

  test('are learnt from', () => {
    const steps = ['--methods', 'lora', '--steps', '2', '--out-dir', freshFolder()]
    const { said, peak } = run(['train', '--model', 'pebble', '--data', data!, ...steps])
    expect(said).toMatch(/tokenise.*1,?000,?000/u)
    expect(peak).toBeLessThan(4096)
  })
})

function write(path: string, header: string, row: (i: number) => string): void {
  const file = openSync(path, 'w')
  writeSync(file, `${header}\n`)
  for (let from = 0; from < ROWS; from += 10_000) {
    const rows = Array.from({ length: 10_000 }, (_, i) => `${row(from + i)}\n`)
    writeSync(file, rows.join(''))
  }
  closeSync(file)
}
