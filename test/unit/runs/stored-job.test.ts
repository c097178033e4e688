/** @file A stored job says under which plan it runs, and which runs were asked under it before, each time that it begins or goes on. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GateRule } from '../../../evals/contract/gate/rule.ts'
import { anyJobKind } from '../../../evals/contract/job.ts'
import { makePrivateFolder } from '../../../evals/files/private-file.ts'
import { judgedStates } from '../../../evals/findings/contesting.ts'
import { runStored } from '../../../evals/runs/stored-job.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { heldOf, partsOf } from '../../doubles/rows/plans.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { FakeConfig, fakeKind } from '../../doubles/runs/fake-job.ts'
import { changedRows } from '../../doubles/runs/stored-change.ts'

const [state] = judgedStates(changedRows({}), 'x')
const plan = heldOf(partsOf(GateRule.parse({ margin: 0.1 }), state!))

test('a run that was interrupted before anything was asked counts those that were asked in the meantime', async () => {
  const outDir = freshFolder()
  makePrivateFolder(outDir)
  const store = openStore(join(outDir, 'touchstone.db'))
  const job = async (runId: string, given: Partial<FakeConfig>, isResumed = false) => {
    const config = { ...FakeConfig.parse({ model: runId, ...given }), plan }
    const stored = { kind: anyJobKind(fakeKind), config, runId, isResumed, outDir }
    const told = { sinks: [], signal: new AbortController().signal, reportsDir: outDir, output: [] }
    const { end } = await runStored({ ...stored, command: '', writesReports: false }, store, told)
    return end.outcome
  }
  const earlier = (runId: string) => store.rows(runId).begunUnder
  expect(await job('first', { failAt: 0 })).toBe('failed')
  expect(await job('other', {})).toBe('done')
  expect(earlier('other')).toEqual({ digest: plan.digest, earlier: [] })
  expect(await job('first', { failAt: 0 }, true)).toBe('done')
  expect(earlier('first')).toEqual({ digest: plan.digest, earlier: ['other'] })
  expect(await job('cut', { failAt: 1 })).toBe('failed')
  expect(await job('last', {})).toBe('done')
  expect(earlier('last')).toEqual({ digest: plan.digest, earlier: ['first', 'other', 'cut'] })
  store.close()
})
