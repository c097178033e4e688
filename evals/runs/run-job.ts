/** @file Runs one job: stamps what it says, tells every sink, and ends in exactly one `job-end`. */
import type { JobEvent, JobEventBody } from '../contract/events.ts'
import type { JobContext, JobEnd, Sink } from '../contract/job.ts'
import type { SealedReply } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { toWireError } from '../errors/wire.ts'

interface JobOptions {
  readonly runId: string
  readonly workspace: string
  /** The last `seq` that is already stored: 0 for a new run. */
  readonly startSeq: number
  readonly sinks: readonly Sink[]
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Runs `run` and says how it ended; never rejects. A sink that fails ends the job, because a result that nobody
 * kept is no result.
 */
export async function runJob(
  { runId, workspace, startSeq, sinks, signal, now = Date.now }: JobOptions,
  run: (context: JobContext) => Promise<void>,
): Promise<JobEnd> {
  let seq = startSeq
  let hasEnded = false
  const emit = (body: JobEventBody) => {
    if (hasEnded) throw new Error(`internal: ${body.type} was emitted after the end of the job`)
    refuseSealedText(body)
    refuseNotFinite(body)
    const event: JobEvent = { runId, seq: ++seq, at: now(), ...body }
    for (const sink of sinks) sink.event(event)
  }
  const seal = (row: SealedReply) => sinks.forEach((sink) => sink.seal?.(row))
  const flush = () => sinks.forEach((sink) => sink.flush?.())

  const last = (body: JobEventBody) => tellAll(sinks, { runId, seq: ++seq, at: now(), ...body })

  let end: JobEnd
  try {
    await run({ emit, seal, flush, signal, workspace })
    end = { type: 'job-end', outcome: 'done' }
  } catch (error) {
    end = endOf(error, signal)
    // Only our own bugs have a stack worth keeping.
    if (end.error?.code === 'internal' && error instanceof Error && error.stack) {
      last({ type: 'log', level: 'debug', message: error.stack })
    }
  }
  hasEnded = true
  return last(end) ?? end
}

/** Tells every sink of the end even if one fails; that failure is then how the job ended. */
function tellAll(sinks: readonly Sink[], event: JobEvent): JobEnd | undefined {
  let failure: JobEnd | undefined
  for (const sink of sinks) {
    try {
      sink.event(event)
      sink.flush?.()
    } catch (error) {
      failure ??= { type: 'job-end', outcome: 'failed', error: toWireError(error) }
    }
  }
  return failure
}

function endOf(error: unknown, signal: AbortSignal): JobEnd {
  const isAbort =
    (error instanceof Error && error.name === 'AbortError') ||
    (signal.aborted && error === signal.reason)
  return isAbort
    ? { type: 'job-end', outcome: 'cancelled' }
    : { type: 'job-end', outcome: 'failed', error: toWireError(error) }
}

/** The one door that every event passes is also the place to keep sealed text out of all of them. */
function refuseSealedText(body: JobEventBody): void {
  if (body.type === 'reply' && body.row.expected.kind === 'refuse' && body.row.text !== null) {
    throw new Error('internal: a reply to a prompt that should be refused must be sealed')
  }
}

/** Neither JSON nor SQLite has NaN: what a broken model computes is an error with that model's name, and no row. */
function refuseNotFinite(body: JobEventBody): void {
  if (body.type !== 'reply' && body.type !== 'verdict' && body.type !== 'metric') return
  const { row } = body
  const fields = Object.entries(row) as [string, unknown][]
  const bad = fields.find(([, value]) => typeof value === 'number' && !Number.isFinite(value))
  if (!bad) return
  const of = 'name' in row ? row.name : `${row.benchmark}, ${row.sampleId}`
  throw new TouchstoneError('model.not-finite', { ...row, what: `${bad[0]} of ${of}` })
}
