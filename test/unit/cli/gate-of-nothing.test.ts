/** @file A gate on what changed nothing, or was never measured, does not end with 0. */
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { refusalGate, storeChange } from '../../doubles/runs/stored-change.ts'
import { freshDatabase, writeRun } from '../../planted/stored/stored.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const GATE = ['--gate', refusalGate(0.1)]

test('report of a run that was stopped before its fine-tune passes nothing', async () => {
  const folder = storeChange({}, [])
  const asked = ['report', '--out-dir', folder]
  const ran = await run(...asked, ...GATE)
  expect(ran.code).toBe(102)
  expect(ran.stdout).toMatch(/^Gate: NOT COMPARABLE {2}Only the base was measured/)
  const told = await run(...asked, ...GATE, '--json')
  expect(JSON.parse(told.stdout)).toMatchObject({ gate: 'NOT COMPARABLE' })
  expect(await run(...asked, ...GATE, '--exit-zero')).toMatchObject({ code: 0 })
  expect(await run(...asked)).toMatchObject({ code: 0 })
})

test('compare of one model in two runs is an error, unless a difference is allowed by name', async () => {
  const sides = ['run-1', 'run-2'].map((runId, i) => {
    const path = freshDatabase()
    writeRun(path, plannedRows({ benchmarks: [REFUSAL], arms: [] }), runId, i)
    return dirname(path)
  })
  const asked = ['compare', ...sides, '--arms', 'base', ...GATE]
  const ran = await run(...asked)
  expect(ran).toMatchObject({ code: 1, stdout: '' })
  expect(ran.stderr).toContain('have the same weights')
  const settings = await run(...asked, '--allow-differences', 'cache-precision')
  expect(settings.code).not.toBe(1)
})
