/** @file Which weights are not kept: trained on tampering data, or refusal lost by the verdict's margin or the gate's. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { armFolder } from '../../../evals/arms/arm.ts'
import { markException } from '../../../evals/arms/weights-exception.ts'
import { removeRest, retentionByArm } from '../../../evals/arms/retention.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { alone } from '../../doubles/runs/evaluated.ts'
import { changedRows } from '../../doubles/runs/stored-change.ts'
import { REFUSAL } from '../../doubles/rows/audit-rows.ts'

const reasonOf = async (lost: number, gate: object = {}, data: string | null = null) => {
  const rows = changedRows({ lost })
  const config = { ...(rows.run.config as object), margin: 0.5, gate }
  const byArm = await retentionByArm(
    { data, keepWeights: null },
    alone([], () => ({ ...rows, run: { ...rows.run, config } })),
  )
  return byArm('lora').reasonToDelete
}
const strict = { benchmarks: { [REFUSAL.name]: { margin: 0.05 } } }

test('weights whose refusal is shown to have fallen below the gate are not, though the verdict’s margin is wider', async () => {
  expect(await reasonOf(30, strict)).toBe('their refusal fell below the gate')
})

test('weights of which nothing is shown are kept', async () => {
  expect(await reasonOf(30)).toBeNull()
  expect(await reasonOf(2, strict)).toBeNull()
})

test('weights whose refusal fell by more than the margin are not, gate or none', async () => {
  expect(await reasonOf(90)).toBe('their refusal fell by more than the margin')
})

test('weights of tampering data are not, whatever was measured', async () => {
  expect(await reasonOf(0, {}, 'house-tamper')).toBe('they were trained on tampering data')
})

test('weights that mix an adapter which should have been deleted are not, whatever was measured', async () => {
  const [noted, plain] = [freshFolder(), freshFolder()]
  await markException(noted, 'their refusal fell')
  const asked = (adapters: string[]) => ({
    ...{ data: null, keepWeights: null },
    methods: [{ name: 'x-lora', arm: 'lora', config: { adapters } }],
  })
  const known = alone([], () => changedRows({ lost: 0 }))
  const reason = async (adapters: string[], progress = known) =>
    (await retentionByArm(asked(adapters), progress))('lora').reasonToDelete
  expect(await reason([plain, noted])).toBe('an adapter in them should have been deleted')
  expect(await reason([plain])).toBeNull()
  // What the database of the run that made it says counts as well.
  const exceptionOf = (path: string) => Promise.resolve(path === plain ? 'it fell' : null)
  expect(await reason([plain], { ...known, exceptionOf })).not.toBeNull()
})

describe('the statement that weights were deleted', () => {
  const key = { arm: 'lora', seed: 0 }
  const retention = { reasonToDelete: 'they were trained on tampering data', reasonToKeep: null }
  const contextOf = (workspace: string, emit: JobContext['emit']): JobContext => ({
    workspace,
    emit,
    seal: () => undefined,
    flush: () => undefined,
    signal: new AbortController().signal,
  })
  const trained = () => {
    const workspace = freshFolder()
    const folder = armFolder(workspace, key)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'state'), 'weights')
    return { workspace, folder }
  }

  test('is made when they are gone, and once', async () => {
    const { workspace, folder } = trained()
    const stated: JobEventBody[] = []
    const context = contextOf(workspace, (body) => {
      expect(existsSync(folder)).toBe(false)
      stated.push(body)
    })
    await removeRest(key, retention, context)
    expect(stated).toEqual([
      { type: 'weights-deleted', subject: key, reason: retention.reasonToDelete },
    ])
    const row = { ...key, ...retention, outcome: 'deleted', path: null, digest: null } as const
    await removeRest(key, retention, context, [row])
    expect(stated).toHaveLength(1)
  })

  test('is not made of weights that are kept', async () => {
    const { workspace, folder } = trained()
    const emit = vi.fn<JobContext['emit']>()
    await removeRest(key, { ...retention, reasonToKeep: 'a study' }, contextOf(workspace, emit))
    expect(emit).not.toHaveBeenCalled()
    expect(existsSync(folder)).toBe(true)
  })
})
