/** @file Runs the job of a command to its end, and turns that end into words and an exit code. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { JobEvent } from '../contract/events.ts'
import type { JobEnd, Sink } from '../contract/job.ts'
import { createBarReporter } from '../runs/progress/bar.ts'
import { createJsonReporter } from '../runs/progress/json.ts'
import { createLinesReporter } from '../runs/progress/lines.ts'
import { plainText } from '../document/plain-text.ts'
import type { Store } from '../runs/store/store.ts'
import { isWorthKeeping } from '../runs/attempt.ts'
import type { Io } from './command.ts'
import type { EvalConfig } from '../audit/config.ts'
import { candidatesOf } from '../measure/derived/specs.ts'
import { EXIT } from '../runs/options/exit-codes.ts'
import { gateCodes } from '../runs/options/gate-options.ts'
import type { JobOptions } from './job-options.ts'
import type { Written } from '../runs/outputs.ts'
import { reportFailure } from './failure.ts'
import { watchSignals } from './signals.ts'
import { runStored, type StoredJob } from '../runs/stored-job.ts'
import { hasVerdict } from '../contract/results.ts'
import { artifactText, verdictText } from '../document/terminal.ts'

interface JobToRun extends StoredJob {
  /** Goes on with it. */
  readonly resumeCommand: string
  readonly options: JobOptions
}

export async function executeJob(job: JobToRun, store: Store, io: Io): Promise<number> {
  const { runId, outDir, options } = job
  const reporter = reporterFor(options, io)
  const watch = watchSignals(() => {
    if (options.json || options.quiet) return
    reporter.close?.()
    io.stderr.write('Stopping at the next safe point; once more stops at once.\n')
  })
  try {
    const { end, written } = await runStored(job, store, {
      sinks: [reporter, ...debugSink(io)],
      signal: watch.signal,
      reportsDir: outDir,
      output: options.output,
    })
    reporter.close?.()
    const rows = end.outcome === 'done' && !written ? store.rows(runId) : undefined
    const canGoOn = end.outcome !== 'done' && isWorthKeeping(store, { id: runId, ...end })
    return conclude(job, end, { written, rows, canGoOn, signalCode: watch.exitCode() }, io)
  } finally {
    watch.stop()
  }
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

function exitCode({ options, kind, config }: JobToRun, end: JobEnd, found: Found): number {
  if (end.outcome === 'cancelled') return found.signalCode ?? 130
  if (end.outcome === 'failed')
    return end.error?.code.startsWith('usage.') ? EXIT.usage : EXIT.error
  if (options.exitZero || !found.written) return EXIT.ok
  const { gate, verdict } = found.written.results
  const isGated = gate !== null && gate.isDefault === false
  if (!isGated && !asksForVerdict(kind.name, config)) return EXIT.ok
  return gateCodes(options.gateExitCode)[verdict.outcome]
}

/** A base alone, or spectra alone, is looked at, not judged. */
function asksForVerdict(kind: string, config: unknown): boolean {
  return kind === 'audit' || (kind === 'eval' && candidatesOf(config as EvalConfig).length > 0)
}
