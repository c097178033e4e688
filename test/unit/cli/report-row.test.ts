/** @file `touchstone report --row`: what stands under the id of a row. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { storeChange } from '../../doubles/runs/stored-change.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const resultsIn = (folder: string) =>
  Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))

describe('touchstone report --row', () => {
  test('prints what stands under the id of a row, from results.json or without it, and writes nothing', async () => {
    const folder = storeChange({ lost: 6 })
    const rowIn = async () => {
      const ran = await run('report', '--out-dir', folder, '--row', 'comparisons/0')
      expect(ran.code).toBe(0)
      return JSON.parse(ran.stdout) as unknown
    }
    const computed = await rowIn()
    expect(computed).toMatchObject({ benchmark: REFUSAL.name, b: 6 })
    expect(() => resultsIn(folder)).toThrow('ENOENT')
    await run('report', '--out-dir', folder)
    expect(await rowIn()).toEqual(computed)
    expect(resultsIn(folder).comparisons[0]).toEqual(computed)
    const page = readFileSync(join(folder, 'report.html'), 'utf8')
    expect(page).toMatch(/comparisons\/<\/th>[^]*?<td class="id">0<\/td>/u)
  })

  test('an id under which nothing stands is a usage error', async () => {
    const ran = await run('report', '--out-dir', storeChange({}), '--row', 'comparisons/99')
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain('Nothing stands at comparisons/99')
  })
})
