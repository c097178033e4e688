/** @file Jobs in processes of their own: followed, queued, stopped, killed with -9, resumed; nothing stored is lost. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../evals/runs/store/store.ts'
import {
  databaseOf,
  openWorkbench,
  smallTrain,
  until,
  type OpenWorkbench,
} from '../../doubles/engine/open-workbench.ts'
import { processorMs } from '../../doubles/processor-time.ts'

const open: OpenWorkbench[] = []
const opened = (folder?: string) => {
  const workbench = openWorkbench(folder)
  open.push(workbench)
  return workbench
}
afterEach(async () => {
  for (const { engine } of open.splice(0)) await engine.close()
})

/** The processes of this test's jobs. */
function jobProcesses(runId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`job-process.ts\u0000${runId}`)
      } catch {
        return false
      }
    })
    .map(Number)
}

const statusOf = async ({ client }: OpenWorkbench, runId: string) =>
  (await client.job.list()).find((job) => job.runId === runId)?.status

const stepsIn = (workbench: OpenWorkbench, runId: string) =>
  workbench.events().filter((event) => event.runId === runId && event.type === 'metric').length

describe('a job', () => {
  test('is followed to its end, and whatever was told is stored', async () => {
    const workbench = opened()
    const { runId } = await workbench.client.job.start(smallTrain(4))
    await until(() => workbench.events().some(({ type }) => type === 'job-end'))
    const told = workbench.events()
    const { events, isWhole } = await workbench.client.job.events({ runId })
    expect(isWhole).toBe(true)
    expect(told).toEqual(events)
    expect(events.at(-1)).toMatchObject({ type: 'job-end', outcome: 'done' })
    expect(await statusOf(workbench, runId)).toBe('done')
    const kept = await workbench.client.run.export({ runId, what: 'adapter' })
    expect(kept.files.map(({ path }) => path.split('/').at(-1))).toContain(
      'adapter_model.safetensors',
    )
  })

  test('waits for the one before it, and leaves the queue when it is stopped', async () => {
    const workbench = opened()
    const { client } = workbench
    const first = await client.job.start(smallTrain(2000))
    const second = await client.job.start(smallTrain(3))
    const list = await client.job.list()
    expect(list.map(({ runId, status, position }) => [runId, status, position])).toEqual([
      [first.runId, 'running', null],
      [second.runId, 'queued', 1],
    ])
    await client.job.stop(second)
    expect(await statusOf(workbench, second.runId)).toBeUndefined()
    await until(() => stepsIn(workbench, first.runId) > 0)
    await client.job.stop(first)
    await until(() => workbench.events().some(({ type }) => type === 'job-end'))
    expect(workbench.events().at(-1)).toMatchObject({ outcome: 'cancelled' })
  })

  test('that is stopped has saved the last step that it told, and goes on with the next', async () => {
    const workbench = opened()
    const { client } = workbench
    const { runId } = await client.job.start(smallTrain(4000))
    await until(() => stepsIn(workbench, runId) > 20)
    await client.job.stop({ runId })
    await until(() => workbench.events().some(({ type }) => type === 'job-end'))
    const told = () =>
      workbench.events().flatMap((event) => (event.type === 'metric' ? [event.row.step] : []))
    const last = Math.max(...told())
    const saved = workbench
      .events()
      .flatMap((event) => (event.type === 'checkpoint' ? [event.subject.step] : []))
    expect(saved.at(-1)).toBe(last)
    const before = told().length
    await until(() =>
      workbench.messages.some(
        ({ body }) => body.type === 'jobs' && body.jobs.some(({ canResume }) => canResume),
      ),
    )
    await client.job.resume({ runId })
    await until(() => told().length > before)
    expect(told()[before]).toBe(last + 1)
    await client.job.stop({ runId })
    await until(() => jobProcesses(runId).length === 0)
  })

  test('that wait change places, also for the next engine, and the feed tells the new order', async () => {
    const workbench = opened()
    const { client } = workbench
    const first = await client.job.start(smallTrain(2000))
    const [a, b, c] = [
      await client.job.start(smallTrain(3)),
      await client.job.start(smallTrain(4)),
      await client.job.start(smallTrain(5)),
    ]
    const queued = (jobs: readonly { runId: string; position: number | null }[]) =>
      jobs.flatMap(({ runId, position }) => (position === null ? [] : [[runId, position]]))
    const inOrder = (...refs: { runId: string }[]) => refs.map(({ runId }, i) => [runId, i + 1])
    await client.job.move({ ...c, position: 1 })
    expect(queued(await client.job.list())).toEqual(inOrder(c, a, b))
    await client.job.move({ ...c, position: 99 })
    const told = workbench.messages.at(-1)!.body
    expect(told.type === 'jobs' && queued(told.jobs)).toEqual(inOrder(a, b, c))
    await client.job.move({ ...b, position: 1 })
    const refused = await client.job
      .move({ ...first, position: 1 })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'job.not-here' })
    await workbench.engine.close()
    open.length = 0
    const next = opened(workbench.folder)
    const left = await next.client.job.list()
    expect(left.slice(0, 3).map(({ runId, status }) => [runId, status])).toEqual([
      [b.runId, 'running'],
      [a.runId, 'queued'],
      [c.runId, 'queued'],
    ])
    for (const ref of [a, c, b]) await next.client.job.stop(ref)
  })

  test('that cannot begin says why, and is not in the list of runs', async () => {
    const workbench = opened()
    const { kind, config } = smallTrain(2)
    const { runId } = await workbench.client.job.start({
      kind,
      config: { ...config, model: '/no/such/model' },
    })
    await until(() =>
      workbench.messages.some(
        ({ body }) => body.type === 'jobs' && body.jobs.some((job) => job.status === 'failed'),
      ),
    )
    const [job] = await workbench.client.job.list()
    expect(job).toMatchObject({ runId, status: 'failed', canResume: false })
    expect(job!.error!.message).toContain('/no/such/model')
  })

  test('with wrong settings is refused before anything is kept', async () => {
    const { client } = opened()
    const wrong = (config: Record<string, unknown>) =>
      client.job.start({ kind: 'audit', config }).catch((error: { code: string }) => error.code)
    expect(await wrong({})).toBe('usage.invalid')
    expect(await wrong({ model: 'pebble' })).toBe('usage.invalid')
    expect(await wrong({ model: 'pebble', methods: ['lroa'], data: 'house-benign' })).toBe(
      'usage.unknown-name',
    )
    expect(await client.job.list()).toEqual([])
  })
})

describe('killed with -9', () => {
  test('a job is told as interrupted within two seconds of the engine’s own time, and goes on where its database ends', async () => {
    const workbench = opened()
    const { client } = workbench
    const { runId } = await client.job.start(smallTrain(4000))
    await until(() => stepsIn(workbench, runId) > 20)
    const [pid] = jobProcesses(runId)
    const before = workbench.events().length
    process.kill(pid!, 'SIGKILL')
    const killedAt = processorMs()
    await until(() =>
      workbench.messages.some(
        ({ body }) =>
          body.type === 'jobs' && body.jobs.some(({ status }) => status === 'interrupted'),
      ),
    )
    expect(processorMs() - killedAt).toBeLessThan(2000)
    const stored = (await client.job.events({ runId, limit: 10_000 })).events
    expect(stored.length).toBeGreaterThanOrEqual(before)
    expect(stored.slice(0, before)).toEqual(workbench.events().slice(0, before))
    expect((await client.job.list())[0]).toMatchObject({
      runId,
      status: 'interrupted',
      canResume: true,
    })
    await client.job.resume({ runId })
    await until(() => workbench.events().some(({ type }) => type === 'job-resume'))
    const resumed = (await client.job.events({ runId, limit: 10_000 })).events
    expect(resumed.slice(0, stored.length)).toEqual(stored)
    expect(resumed.map(({ seq }) => seq)).toEqual(resumed.map((_, i) => i + 1))
    await client.job.stop({ runId })
    await until(() => jobProcesses(runId).length === 0)
  })

  test('the engine takes its job with it, which saves its state; the next engine resumes it', async () => {
    const script = new URL('../../doubles/engine/engine-alone.ts', import.meta.url).pathname
    const workbench = opened()
    const { folder } = workbench
    await workbench.engine.close()
    open.length = 0
    const words = ['--disable-warning=ExperimentalWarning', script, folder]
    const { stdout, signal } = spawnSync(process.execPath, words, { encoding: 'utf8' })
    expect(signal).toBe('SIGKILL')
    const runId = stdout.trim()
    await until(() => jobProcesses(runId).length === 0)
    const store = openStore(databaseOf(folder))
    expect(store.run(runId)).toMatchObject({ outcome: 'cancelled' })
    store.close()
    const next = opened(folder)
    expect((await next.client.job.list())[0]).toMatchObject({ runId, canResume: true })
    await next.client.job.resume({ runId })
    await until(() => next.events().some(({ type }) => type === 'metric'))
    await next.client.job.stop({ runId })
    await until(() => next.events().some(({ type }) => type === 'job-end'))
  })
})
