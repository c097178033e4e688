/** @file A pinned reference that is no earlier release: the fine-tune itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { gateFile, storeChange } from '../../doubles/runs/stored-change.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const resultsIn = (folder: string) =>
  Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))

test('a reference that is the fine-tune itself shows nothing of the loss since, in both', async () => {
  const folder = storeChange({})
  const of = `reference: { run: ${folder}, arm: lora }`
  const gate = gateFile(`benchmarks: { ${REFUSAL.name}: { margin: 0.1 } }\n${of}`)
  expect((await run('report', '--out-dir', folder, '--gate', gate)).code).toBe(101)
  const { claims } = resultsIn(folder).gate!
  const open = claims.filter(({ outcome }) => outcome !== 'PASS')
  expect(open.map(({ against }) => against)).toEqual(['reference'])
  expect(open[0]!.sentence).toContain('is this fine-tune itself')
  const argv = [folder, folder, '--arms', 'base,lora', '--gate', gate]
  expect((await run('compare', ...argv)).code).toBe(101)
})
