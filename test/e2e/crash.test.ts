/** @file Killed with -9 during a job, first the job and then the engine: the window says so within two seconds, and the job goes on from what was stored. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { serve, sharedWorkbench, type Served } from './workbench.ts'

const bench = sharedWorkbench()
let second: Served | undefined
afterAll(() => {
  second?.process.kill('SIGTERM')
})

const JOB_MS = 240_000
const BAR_MS = 2000
const TRAINING = {
  kind: 'train',
  config: {
    model: 'pebble',
    data: 'house-benign',
    methods: [{ name: 'lora', config: { rank: 2 } }],
    training: { steps: 4000, batchSize: 4 },
  },
}

const eventsOf = async (runId: string) =>
  (
    await bench.ask<{ events: { seq: number; type: string }[] }>('job.events', {
      runId,
      limit: 10_000,
    })
  ).events
const steps = (events: readonly { type: string }[]) =>
  events.filter(({ type }) => type === 'metric').length

function jobProcesses(runId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`job-process.ts\u0000${runId}`)
      } catch {
        return false
      }
    })
    .map(Number)
}

let runId = ''
test(
  'a job whose process is killed is told as interrupted, and is resumed from the window',
  async () => {
    const { page, go, inspect } = bench
    ;({ runId } = await bench.ask<{ runId: string }>('job.start', TRAINING))
    await go('/jobs')
    await expect
      .poll(async () => steps(await eventsOf(runId)), { timeout: JOB_MS })
      .toBeGreaterThan(20)
    const before = await eventsOf(runId)
    const [pid] = jobProcesses(runId)
    process.kill(pid!, 'SIGKILL')
    const killedAt = performance.now()
    await page.getByText('interrupted').first().waitFor()
    expect(performance.now() - killedAt).toBeLessThan(BAR_MS)
    expect((await eventsOf(runId)).slice(0, before.length)).toEqual(before)
    await inspect('job-killed')
    await page.getByRole('button', { name: /Resume/u }).click()
    await page.getByRole('button', { name: /Stop and save/u }).waitFor({ timeout: JOB_MS })
  },
  JOB_MS,
)

test(
  'an engine that is killed is missed at once; the next one has everything and goes on',
  async () => {
    const { page, inspect } = bench
    const count = () => eventsOf(runId)
    await expect
      .poll(async () => (await count()).some(({ type }) => type === 'job-resume'), {
        timeout: JOB_MS,
      })
      .toBe(true)
    const before = await count()
    bench.process.kill('SIGKILL')
    const killedAt = performance.now()
    await page.getByRole('alert').getByText('The engine is not answering').waitFor()
    expect(performance.now() - killedAt).toBeLessThan(BAR_MS)
    await inspect('engine-killed')
    await expect.poll(() => jobProcesses(runId), { timeout: JOB_MS }).toEqual([])
    second = await serve(bench.home)
    await page.goto(second.address)
    await page.getByRole('navigation', { name: 'Workbench' }).waitFor()
    expect((await count()).slice(0, before.length)).toEqual(before)
    await page.goto(new URL('#/jobs', second.address).href)
    await page.getByRole('button', { name: /Resume/u }).click()
    await expect
      .poll(async () => (await count()).filter(({ type }) => type === 'job-resume').length, {
        timeout: JOB_MS,
      })
      .toBe(2)
    const after = await count()
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.map(({ seq }) => seq)).toEqual(after.map((_, i) => i + 1))
    await page.getByRole('button', { name: /Stop and save/u }).click()
    await page.getByText('stopped').first().waitFor({ timeout: JOB_MS })
  },
  2 * JOB_MS,
)

test('the console complained of the lost connection and of nothing else', () => {
  expect(bench.complaints.filter((text) => !text.includes('net::ERR_'))).toEqual([])
})
