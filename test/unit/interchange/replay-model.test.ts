/** @file A real audit of a tiny model, done again in another process: the same bits. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeKillBench } from '../../doubles/runs/kill-runs.ts'

const CLI = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')

function touchstone(...argv: string[]) {
  const ran = spawnSync(process.execPath, [CLI, ...argv], { encoding: 'utf8' })
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr }
}

interface Line {
  isSame: boolean
  engine: unknown[]
  tables: { table: string; rows: number }[]
}

test('an audit is repeated to the same bits', async () => {
  const bench = await makeKillBench()
  const { home } = bench
  const shorter: Readonly<Record<string, string>> = { 'lora,full': 'lora', 12: '4' }
  const words = bench.words.map((word) => shorter[word] ?? word)
  const folder = join(home, 'audit')
  const first = touchstone('audit', ...words, '--out-dir', folder, '--quiet')
  expect(first.code, first.stderr).toBe(0)

  const again = touchstone('replay', '--out-dir', folder, '--into', join(home, 'again'), '--json')
  expect(again.code, again.stdout + again.stderr).toBe(0)
  const { isSame, engine, tables } = JSON.parse(again.stdout) as Line
  expect([isSame, engine]).toEqual([true, []])
  const rowsOf = Object.fromEntries(tables.map(({ table, rows }) => [table, rows]))
  // A base and one arm, before and after, four prompts of each of three benchmarks.
  expect(rowsOf['replies']).toBeGreaterThanOrEqual(2 * 12)
  expect(rowsOf['sealed replies']).toBe(rowsOf['replies']! / 3)
  expect(rowsOf['spectra']).toBeGreaterThan(0)
})
