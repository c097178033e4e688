/** @file Runs the job of a command to its end, and turns that end into words and an exit code. */
import { join } from 'node:path'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { JobEvent } from '../contract/events.ts'
import type { VerdictOutcome } from '../contract/results.ts'
import { runJob, type JobContext, type JobEnd, type Sink } from '../jobs/job.ts'
import type { AnyJobKind } from '../jobs/job-kind.ts'
import { createBarReporter } from '../jobs/reporters/bar.ts'
import { createJsonReporter } from '../jobs/reporters/json.ts'
import { createLinesReporter } from '../jobs/reporters/lines.ts'
import { plainText } from '../jobs/reporters/plain-text.ts'
import { exists } from '../models/files.ts'
import { removeTemporaries } from '../models/safetensors-write.ts'
import type { Store } from '../store/store.ts'
import { isWorthKeeping } from './attempt.ts'
import { EXIT, type Io } from './command.ts'
import { engineFor } from './engine.ts'
import { gateCodes } from './gate-options.ts'
import type { JobOptions } from './job-options.ts'
import { writeOutputs, type Written } from './outputs.ts'
import { reportFailure } from './failure.ts'
import { watchSignals } from './signals.ts'
import { artifactText, hasVerdict, verdictText } from './verdict-text.ts'

export interface JobToRun {
  readonly kind: AnyJobKind
  readonly config: unknown
  readonly runId: string
  readonly isResumed: boolean
  /** Gives the run again. */
  readonly command: string
  /** Goes on with it. */
  readonly resumeCommand: string
  readonly writesReports: boolean
  readonly outDir: string
  readonly options: JobOptions
}

export async function executeJob(job: JobToRun, store: Store, io: Io): Promise<number> {
  const { runId, outDir, options } = job
  const startSeq = store.lastSeq(runId)
  const progress = { evaluations: store.finishedEvaluations(runId), rows: () => store.rows(runId) }
  const reporter = reporterFor(options, io)
  const engine = engineFor(job.config)
  const watch = watchSignals(() => {
    if (options.json || options.quiet) return
    reporter.close?.()
    io.stderr.write('Stopping at the next safe point; once more stops at once.\n')
  })
  let written: Written | undefined
  try {
    const sinks = [store.sink, reporter, ...debugSink(io)]
    const { signal } = watch
    const end = await runJob(
      { runId, workspace: join(outDir, runId), startSeq, sinks, signal },
      async (context) => {
        start(job, engine, context)
        await clearFolder(context, outDir)
        await job.kind.run(job.config, context, progress)
        // Inside the job: killed here, it is resumed, skips what was measured and writes the report again.
        if (job.writesReports)
          written = await writeOutputs(store.rows(runId), outDir, options.output)
      },
    )
    reporter.close?.()
    const rows = end.outcome === 'done' && !written ? store.rows(runId) : undefined
    const canGoOn = end.outcome !== 'done' && isWorthKeeping(store, { id: runId, ...end })
    return conclude(job, end, { written, rows, canGoOn, signalCode: watch.exitCode() }, io)
  } finally {
    watch.stop()
  }
}

/** A process that was killed leaves the file behind that it was writing; this one alone may write here now. */
async function clearFolder({ workspace }: JobContext, outDir: string): Promise<void> {
  await removeTemporaries(outDir, false)
  if (await exists(workspace)) await removeTemporaries(workspace, true)
}

function start(
  { kind, config, command, isResumed }: JobToRun,
  engine: ReturnType<typeof engineFor>,
  { emit }: JobContext,
): void {
  if (isResumed) return emit({ type: 'job-resume', engine })
  const title = kind.title(config)
  emit({ type: 'job-start', kind: kind.name, title, command, config, engine })
}

function reporterFor({ json, quiet }: JobOptions, { stdout, stderr }: Io): Sink {
  if (json) return createJsonReporter((text) => stdout.write(text))
  if (quiet) return { event: () => undefined }
  // How it ended is said once, by `conclude`.
  return withoutEnd(
    stderr.isTTY ? createBarReporter(stderr) : createLinesReporter((text) => stderr.write(text)),
  )
}

function withoutEnd(sink: Sink): Sink {
  const event = (told: JobEvent) => told.type === 'job-end' || sink.event(told)
  return { ...sink, event }
}

function debugSink({ stderr, environment }: Io): Sink[] {
  if (!environment['TOUCHSTONE_DEBUG']) return []
  return [
    {
      event(event) {
        if (event.type !== 'log' || event.level !== 'debug') return
        const lines = event.message.split('\n').map((line) => `${plainText(line)}\n`)
        stderr.write(lines.join(''))
      },
    },
  ]
}

interface Found {
  readonly written: Written | undefined
  /** Of a kind that writes no report. */
  readonly rows: AuditRows | undefined
  /** Whether it left something that need not be done again. */
  readonly canGoOn: boolean
  readonly signalCode: number | undefined
}

function conclude(job: JobToRun, end: JobEnd, found: Found, io: Io): number {
  const { options, runId } = job
  const code = exitCode(job, end, found)
  const isDone = end.outcome === 'done'
  if (end.error) reportFailure(end.error, options.json, io)
  if (found.canGoOn && !options.json) {
    const how = end.outcome === 'cancelled' ? 'Stopped. ' : ''
    io.stderr.write(`${how}Go on with:\n  ${plainText(job.resumeCommand, 4000)}\n`)
  }
  if (options.json) {
    io.stdout.write(
      `${JSON.stringify({ type: 'result', runId, exitCode: code, ...summary(end, found) })}\n`,
    )
  } else if (isDone) {
    const { written, rows } = found
    io.stdout.write(written ? verdictText(written.results, written.files) : artifactText(rows!))
  }
  return code
}

function summary(end: JobEnd, { written }: Found) {
  const verdict = written && hasVerdict(written.results) ? written.results.verdict : undefined
  return {
    outcome: end.outcome,
    verdict: verdict?.outcome ?? null,
    headline: verdict?.headline ?? null,
    gate: written?.results.gate?.outcome ?? null,
    files: written?.files ?? [],
  }
}

const VERDICT_CODES: Readonly<Record<VerdictOutcome, number>> = {
  PASS: EXIT.ok,
  FAIL: EXIT.fail,
  INCONCLUSIVE: EXIT.inconclusive,
}

function exitCode({ options, kind, config }: JobToRun, end: JobEnd, found: Found): number {
  if (end.outcome === 'cancelled') return found.signalCode ?? 130
  if (end.outcome === 'failed')
    return end.error?.code.startsWith('usage.') ? EXIT.usage : EXIT.error
  if (options.exitZero || !found.written) return EXIT.ok
  const { gate } = found.written.results
  if (gate) return gateCodes(options.gateExitCode)[gate.outcome]
  if (!asksForVerdict(kind.name, config)) return EXIT.ok
  return VERDICT_CODES[found.written.results.verdict.outcome]
}

/** A base alone, or spectra alone, is looked at, not judged. */
function asksForVerdict(kind: string, config: unknown): boolean {
  const { candidates = [] } = config as { candidates?: readonly string[] }
  return kind === 'audit' || (kind === 'eval' && candidates.length > 0)
}
