/** @file A call of the API: a verb in a process of its own, whose lines of JSON are its events and its result. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GateResult } from '../../contract/gate.ts'
import type { JobEvent } from '../../contract/events.ts'
import type { Results } from '../../contract/results.ts'
import { CarriedError, type WireError } from '../../contract/wire-error.ts'
import type { Comparison } from '../../findings/gate/comparison.ts'
import { createEventLog } from './event-log.ts'
import { speak, type Line } from './process.ts'

/** What went wrong, with the code and remedy that the command line gives. */
export class RunError extends CarriedError {
  override readonly name = 'RunError'
}

export interface Finished {
  readonly runId: string
  /** Of the command line: 0 PASS or done, 100 FAIL, 101 INCONCLUSIVE, 102 NOT COMPARABLE. */
  readonly exitCode: number
  /** Null where nothing was compared with a base. */
  readonly verdict: Results['verdict']['outcome'] | null
  readonly headline: string | null
  /** Files that were written. */
  readonly files: readonly string[]
  /** Null for a kind that writes no results. */
  readonly results: Results | null
}

/** Events from the first on, for each loop over it; it ends with the run, and throws what `finished` rejects with. */
export interface Run extends AsyncIterable<JobEvent> {
  readonly finished: Promise<Finished>
}

export interface Comparisons {
  readonly gate?: GateResult
  readonly comparisons: readonly Comparison[]
}

type ResultLine = Line & Omit<Finished, 'results'>

export function startJob(
  verb: string,
  settings: unknown,
  { outDir, signal }: { readonly outDir: string; readonly signal?: AbortSignal },
): Run {
  const log = createEventLog<JobEvent>()
  const finished = inConfigFile(settings, async (config) => {
    const told = { result: undefined as ResultLine | undefined }
    const words = [verb, '--config', config, '--out-dir', outDir, '--json']
    const ended = await speak(words, signal, (line) => {
      if (line.type === 'result') told.result = line as ResultLine
      else if (line.type !== 'error') log.add(line as unknown as JobEvent)
    })
    signal?.throwIfAborted()
    if (ended.error || !told.result) throw new RunError(ended.error ?? died(ended.said))
    return withResults(told.result)
  })
  void finished.then(log.end, log.fail)
  return { finished, [Symbol.asyncIterator]: () => log.read() }
}

async function withResults({ runId, exitCode, verdict, headline, files }: ResultLine) {
  const path = files.find((file) => file.endsWith('results.json'))
  const results = path === undefined ? null : (JSON.parse(await readFile(path, 'utf8')) as Results)
  return { runId, exitCode, verdict, headline, files, results }
}

/** In a file, because a command line has no room for large settings. */
async function inConfigFile<T>(settings: unknown, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'touchstone-api-'))
  try {
    const path = join(folder, 'settings.json')
    await writeFile(path, JSON.stringify(settings))
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function startCompare(
  before: string,
  after: string,
  settings: {
    readonly arms?: readonly [string, string]
    readonly gate?: string
    readonly signal?: AbortSignal
  },
): Promise<Comparisons> {
  const { arms, gate, signal } = settings
  const words = [
    ...['compare', '--json', '--exit-zero'],
    ...(arms ? ['--arms', arms.join(',')] : []),
    ...(gate === undefined ? [] : ['--gate', gate]),
    ...['--', before, after],
  ]
  const told: Line[] = []
  const { error, said } = await speak(words, signal, (line) => told.push(line))
  signal?.throwIfAborted()
  const found = told.find(({ type }) => type === 'comparison')
  if (error || !found) throw new RunError(error ?? died(said))
  return found as Line & Comparisons
}

const died = (said: string): WireError => ({
  code: 'engine.process-died',
  message: `The process of the run ended before it was done${said === '' ? '' : `: ${said}`}.`,
  remedy: 'Run touchstone doctor, which says what is missing on this machine.',
})
