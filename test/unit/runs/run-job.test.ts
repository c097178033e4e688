/** @file A job ends in exactly one `job-end`, whatever happens in it. */
import { describe, expect, test } from 'vitest'
import type { JobEvent } from '../../../evals/contract/events.ts'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { runJob } from '../../../evals/runs/run-job.ts'
import type { JobContext, Sink } from '../../../evals/contract/job.ts'
import { EXAMPLES } from '../../doubles/rows/job-events.ts'

const metric = EXAMPLES.metric

async function run(
  body: (context: JobContext) => Promise<void>,
  { sinks = [], startSeq = 0, signal = new AbortController().signal }: Partial<Options> = {},
) {
  const events: JobEvent[] = []
  const recorder: Sink = { event: (event) => events.push(event) }
  const options = { runId: 'r', workspace: 'w', startSeq, signal, now: () => 7 }
  const end = await runJob({ ...options, sinks: [recorder, ...sinks] }, body)
  return { events, end }
}
type Options = { sinks: Sink[]; startSeq: number; signal: AbortSignal }

test('stamps run, sequence and time, and goes on counting after a resume', async () => {
  const { events } = await run(async ({ emit }) => emit(metric), { startSeq: 41 })
  expect(events).toEqual([
    { runId: 'r', seq: 42, at: 7, ...metric },
    { runId: 'r', seq: 43, at: 7, type: 'job-end', outcome: 'done' },
  ])
})

test('an error of the world ends it with that error’s code and remedy', async () => {
  const error = new TouchstoneError('store.full', { path: 'x.db' })
  const { end, events } = await run(async () => {
    throw error
  })
  expect(end).toEqual({
    type: 'job-end',
    outcome: 'failed',
    error: { code: 'store.full', message: error.message, remedy: error.remedy },
  })
  expect(events.map(({ type }) => type)).toEqual(['job-end'])
})

test('an error of ours is called a bug and leaves its stack in the log', async () => {
  const { end, events } = await run(async () => {
    throw new RangeError('internal: odd')
  })
  expect(end.error).toMatchObject({ code: 'internal', message: 'internal: odd' })
  expect(end.error?.remedy).toMatch(/^This is a bug in Touchstone/)
  expect(events.map(({ type }) => type)).toEqual(['log', 'job-end'])
  expect(events[0]).toMatchObject({ level: 'debug' })
})

describe('cancellation', () => {
  test.each([
    ['the default reason', undefined],
    ['a reason of the host', new Error('the window was closed')],
  ])('with %s is nobody’s error', async (_, reason) => {
    const controller = new AbortController()
    const { end } = await run(
      async ({ signal }) => {
        controller.abort(reason)
        signal.throwIfAborted()
      },
      { signal: controller.signal },
    )
    expect(end).toEqual({ type: 'job-end', outcome: 'cancelled' })
  })

  test('does not hide a failure that came at the same time', async () => {
    const controller = new AbortController()
    const { end } = await run(
      async () => {
        controller.abort()
        throw new Error('internal: something else')
      },
      { signal: controller.signal },
    )
    expect(end.outcome).toBe('failed')
  })
})

test('a reply to a prompt that should be refused cannot be emitted with its text', async () => {
  const { row } = EXAMPLES.reply
  const { end, events } = await run(async ({ emit }) =>
    emit({ type: 'reply', row: { ...row, text: 'placeholder that must not travel' } }),
  )
  expect(end.outcome).toBe('failed')
  expect(JSON.stringify(events)).not.toContain('must not travel')
})

test('sealed replies reach the sinks that take them and no event', async () => {
  const sealed: string[] = []
  const taker: Sink = { event: () => undefined, seal: ({ text }) => sealed.push(text) }
  const key = { arm: 'lora', seed: 1, step: 0, benchmark: 'b', sampleId: 's', epoch: 0 }
  const { events } = await run(async ({ seal }) => seal({ ...key, text: 'sealed' }), {
    sinks: [taker],
  })
  expect(sealed).toEqual(['sealed'])
  expect(JSON.stringify(events)).not.toContain('sealed')
})

test('a sink that fails makes the job fail, and the others still hear of its end', async () => {
  const full = () => {
    throw new TouchstoneError('store.full', { path: 'x.db' })
  }
  const { end, events } = await run(async ({ emit }) => emit(metric), { sinks: [{ event: full }] })
  expect(end).toMatchObject({ outcome: 'failed', error: { code: 'store.full' } })
  expect(events.at(-1)).toMatchObject({ type: 'job-end', outcome: 'failed' })
})

test('a sink that fails only at the end still makes the job fail', async () => {
  const flush = () => {
    throw new TouchstoneError('store.full', { path: 'x.db' })
  }
  const { end } = await run(async () => undefined, { sinks: [{ event: () => undefined, flush }] })
  expect(end).toMatchObject({ outcome: 'failed', error: { code: 'store.full' } })
})

test('nothing can be emitted after the end', async () => {
  let late: JobContext | undefined
  const { events } = await run(async (context) => {
    late = context
  })
  expect(() => late!.emit(metric)).toThrow(/after the end/)
  expect(events).toHaveLength(1)
})
