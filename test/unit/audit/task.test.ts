/** @file A task from its base to its report: bits after a stop, arms by rank, files that cannot be used. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { TaskConfig } from '../../../evals/audit/tasks/config.ts'
import { armsOf } from '../../../evals/audit/tasks/arms.ts'
import { taskJob } from '../../../evals/audit/tasks/task-job.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { full } from '../../../evals/finetune/methods/full.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const FEW = ['--steps', '2', '--base-steps', '4', '--limit', '4', '--threads', '1', '--exit-zero']
const folder = freshFolder()

describe('arms', () => {
  const choice = (method: typeof lora | typeof full) => ({
    name: method.name,
    config: method.config.parse({}) as Record<string, unknown>,
  })
  const config = (ranks: number[]) =>
    TaskConfig.parse({ task: 'location', methods: [choice(lora), choice(full)], ranks })

  test('are a method of low rank at each rank, and any other once', () => {
    const arms = armsOf(config([2, 8])).map(({ arm, config: { rank, alpha } }) => [
      arm,
      rank,
      alpha,
    ])
    expect(arms).toEqual([
      ['lora-r2', 2, 4],
      ['lora-r8', 8, 16],
      [undefined, undefined, undefined],
    ])
    expect(armsOf(config([])).map(({ arm }) => arm)).toEqual([undefined, undefined])
  })
})

describe.each([
  ['location', 'wrap/residual', 'base, seed 0: training', 3],
  // Its rows are what the trained base tells.
  ['guided-diffusion', 'mixture/3', 'lora-r2, seed 0: training', 1],
  // Its arm is measured together with the companion.
  ['composer', 'canvas-small', 'companion, seed 0: training', 1],
])('%s on %s, stopped in “%s” at step %i', (task, base, phase, step) => {
  const config = TaskConfig.parse({
    task,
    base,
    methods: [{ name: lora.name, config: lora.config.parse({}) as Record<string, unknown> }],
    ranks: [2],
    baseSteps: 6,
    limit: 4,
    training: { steps: 2, batchSize: 4 },
    matchLoss: false,
    spectra: false,
    threads: 1,
  })
  const digestsOf = (events: readonly JobEventBody[]) =>
    events.flatMap((event) =>
      event.type === 'subject' ? [[event.row.weightsDigest, event.row.adapterDigest]] : [],
    )

  async function run(workspace: string, stops = false) {
    const events: JobEventBody[] = []
    const stop = new AbortController()
    const context: JobContext = {
      emit(event) {
        events.push(event)
        const { type } = event
        if (stops && type === 'phase-progress' && event.phase === phase && event.done === step)
          stop.abort(new Error('stop'))
      },
      seal: () => undefined,
      flush: () => undefined,
      signal: stop.signal,
      workspace,
    }
    const none = { evaluations: [], ended: () => never(), exceptionOf: () => never() }
    // The decision on kept weights needs a store; what is asked here ends before it.
    const ofBase = new Proxy({} as AuditRows, {
      get: (_, name) => (name === 'replies' ? [] : never()),
    })
    const progress = { ...none, rows: () => ofBase, sealed: () => [] }
    await taskJob.run(config, context, progress).catch((error: unknown) => {
      if ((error as Error).message !== 'stop' && (error as Error).message !== 'no store')
        throw error
    })
    return events
  }
  const never = (): never => {
    throw new Error('no store')
  }

  test('ends in the same bits', async () => {
    const whole = digestsOf(await run(join(folder, task, 'whole')))
    const before = await run(join(folder, task, 'stopped'), true)
    expect(digestsOf(before).length).toBeLessThan(whole.length)
    const resumed = digestsOf(await run(join(folder, task, 'stopped')))
    expect(whole.length).toBeGreaterThan(2)
    expect(resumed).toEqual(whole)
  })
})

describe('a file of places', () => {
  const path = join(folder, 'places.csv')
  const asked = async (text: string) => {
    writeFileSync(path, text)
    const out = join(folder, 'own')
    return runCommand(['task', 'location', '--file', path, ...FEW, '--out-dir', out], {}, COMMANDS)
  }

  test.each([
    ['latitude out of range', 'lon,lat,label\n10,91,land', 'row 1: lon "10", lat "91"'],
    ['no number', 'lon,lat,label\n10,50,land\nNaN,50,sea', 'row 2: lon "NaN"'],
    ['no column', 'lon,label\n10,land', 'lacks lat'],
    ['no class', 'lon,lat,label\n10,50,swamp', '"swamp"'],
    ['one site', 'lon,lat,label\n10,50,land\n10.1,50.1,sea', 'one group alone'],
    ['an empty file', '', 'places.csv'],
  ])('%s is a named error', async (_, text, said) => {
    const { code, stderr } = await asked(text)
    expect([code, stderr.includes(said)], stderr).toEqual([1, true])
  })
})

describe('what cannot be run', () => {
  let network: Awaited<ReturnType<typeof runCommand>>
  beforeAll(async () => {
    const base = ['--base', 'wrap/linear', '--methods', lora.name]
    const out = ['--out-dir', join(folder, 'linear')]
    network = await runCommand(['task', 'location', ...base, ...FEW, ...out], {}, COMMANDS)
  })

  test('a network without layers has no place for an adapter', () => {
    expect(network.code).toBe(1)
    expect(network.stderr).toContain('has no layer but its head')
  })

  test('unknown tasks and bases are named with what there is', async () => {
    const task = await runCommand(['task', 'locaton'], {}, COMMANDS)
    expect([task.code, task.stderr.includes('location')]).toEqual([2, true])
    const base = ['task', 'location', '--base', 'grid/sirens', ...FEW, '--out-dir', folder]
    const ran = await runCommand(base, {}, COMMANDS)
    expect([ran.code, ran.stderr.includes('grid/siren')]).toEqual([2, true])
  })
})
