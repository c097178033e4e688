/** @file Replies that are kept apart: shown of a bundled suite alone and with a reason, written to a private file of any run. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBundled } from '../../../evals/benchmarks/bundled/load-bundled.ts'
import { findBundled } from '../../../evals/benchmarks/registry.ts'
import type { EngineClient } from '../../../evals/contract/api.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { openWorkbench, type OpenWorkbench } from '../../doubles/engine/open-workbench.ts'
import { PLANTED, smallAudit, storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'

const SUITE = 'house-refusal'
const REASON = 'Checking what the judge calls a refusal'
let workbench: OpenWorkbench
let engine: EngineClient
/** The first reply of the base to the suite has a prompt of the bundled file; all others have prompts of their own. */
let ours: Parameters<EngineClient['sample']['reveal']>[0]
let others: typeof ours

beforeAll(async () => {
  const [sample] = await loadBundled(findBundled(SUITE))
  const rows = smallAudit()
  const first = rows.replies.find(({ benchmark }) => benchmark === SUITE)!
  const asked = { ...first, prompt: sample!.messages.at(-1)!.content }
  const replies = rows.replies.map((row) => (row === first ? asked : row))
  const key = ({ arm, seed, step, benchmark, sampleId, epoch }: typeof first) => ({
    ...{ runId: STORED_RUN, arm, seed, step, benchmark, sampleId, epoch },
  })
  ours = key(first)
  others = key(replies.find((row) => row.benchmark === SUITE && row.sampleId !== first.sampleId)!)
  workbench = openWorkbench(storeAudit({ ...rows, replies }))
  engine = workbench.client
})
afterAll(() => workbench.engine.close())

const reasonsLogged = async () => {
  const asked = { runId: STORED_RUN, types: ['unblinded' as const] }
  const { events } = await engine.job.events(asked)
  return events.map((event) => (event as { reason?: string }).reason)
}

describe('in the window', () => {
  test('without a reason in the settings nothing is shown, and nothing is logged', async () => {
    expect(await engine.sample.reveal(ours)).toBeNull()
    expect(await reasonsLogged()).toEqual([])
  })

  test('with one, the reply to a bundled prompt is shown, and the reason logged once', async () => {
    await engine.house.set({ revealReason: REASON })
    const shown = await Promise.all([ours, ours].map((key) => engine.sample.reveal(key)))
    expect(shown.map((each) => each?.text)).toEqual([
      expect.stringContaining(PLANTED),
      expect.stringContaining(PLANTED),
    ])
    expect(await reasonsLogged()).toEqual([REASON])
  })

  test('another prompt under the suite’s name stays withheld', async () => {
    expect(await engine.sample.reveal(others)).toBeNull()
  })

  test('a reason of a word is none', async () => {
    await expect(engine.house.set({ revealReason: 'why' })).rejects.toThrow(/house\.set/u)
  })
})

test('to a private file that was not there, with its reason in the log', async () => {
  const path = join(freshFolder(), 'sealed.jsonl')
  const reason = 'Reading what was said'
  const { replies } = await engine.sample.unblind({ runId: STORED_RUN, reason, path })
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(replies)
  expect(lines.every((line) => line.includes(PLANTED))).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await reasonsLogged()).toContain(reason)
  await expect(engine.sample.unblind({ runId: STORED_RUN, reason, path })).rejects.toThrow()
  const short = engine.sample.unblind({ runId: STORED_RUN, reason: 'why', path: `${path}2` })
  await expect(short).rejects.toThrow(/reason/u)
  expect(existsSync(`${path}2`)).toBe(false)
})

test('a change of settings or of a run’s name reaches every window', async () => {
  const heard = () =>
    workbench.messages.flatMap(({ body }) => (body.type === 'changed' ? body.what : []))
  const before = heard().length
  await engine.house.set({ theme: 'dark' })
  await engine.run.annotate({ runId: STORED_RUN, name: 'Named' })
  await engine.run.delete({ runId: STORED_RUN })
  await engine.run.restore({ runId: STORED_RUN })
  expect(heard().slice(before)).toEqual(['settings', 'runs', 'runs', 'runs'])
})
