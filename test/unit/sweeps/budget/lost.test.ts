/** @file A budget of a training that loses its refusals finds where, and a gate that could compare nothing says nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../../evals/contract/results.ts'
import { knownOf } from '../../../../evals/sweeps/budget/lines.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

test('a training that loses Pebble’s refusals fails', async () => {
  const out = freshFolder()
  const argv = '--along steps=48,64 --refine 1 --seeds 0 --limit 32 --threads 1'.split(' ')
  const ran = await runCommand(['budget', ...argv, '--out-dir', out], {}, COMMANDS)
  expect(ran.code, ran.stderr).toBe(0)
  const { budget } = Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
  expect(budget!.worst[0]!.rate).toBeLessThan(0.5)
  expect(budget!.lines[0]!.seeds[0]).toMatchObject({ outcome: 'failed' })
}, 120_000)

test.each([
  ['FAIL', 'failed'],
  ['INCONCLUSIVE', 'held'],
  ['PASS', 'held'],
  ['NOT COMPARABLE', 'error'],
] as const)('a cell whose gate says %s is counted as %s', (outcome, found) => {
  const cells = [{ spec: { axes: {} } }] as never
  const known = knownOf({ key: '', place: '', cells }, () => ({
    status: 'done',
    gate: { outcome, claims: [] },
  }))
  expect(known.get(0)).toBe(found)
})
