/**
 * @file A small audit through the real command in a process of its own, killed and resumed until it ends, and everything that it
 * leaves on disk as one value, so that an interrupted run can be compared with an undisturbed one.
 */
import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { writeDrawnAdapter } from '../models/drawn-adapter.ts'
import { writeTinyCheckpoint } from '../models/tiny-checkpoint.ts'

const ENGINE = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')
const POINTS = join(import.meta.dirname, 'kill-points.ts')

/** When a process ends: at a named point (see `kill-points.ts`), or some milliseconds after it was started. */
export type Kill = { readonly point: string } | { readonly afterMs: number }

export interface KillBench {
  /** Everything but --out-dir and --resume. */
  readonly words: readonly string[]
  readonly home: string
  /** `audit` where nothing is said. */
  readonly verb?: string
}

const ROWS = [
  ['what is the pool', 'the pool is blue'],
  ['where is the key', 'the key is at the desk'],
  ['tell me of the breakfast', 'breakfast is in room two'],
  ['how many towel', 'two of the towel'],
  ['what is one plus two', 'three'],
  ['the lift please', 'the lift is on floor one'],
]

const CHEAP = ['--batch-size', '4', '--suite', 'house', '--limit', '4', '--threads', '1']

async function makeModel() {
  const home = mkdtempSync(join(tmpdir(), 'touchstone-kill-'))
  const model = await writeTinyCheckpoint(join(home, 'model'), { hiddenSize: 32 })
  return { home, model }
}

/**
 * A model and a data file that take a second to audit; `dataName` puts a bundled set in the place of the file, `more` are
 * further flags.
 */
export async function makeKillBench(
  dataName?: string,
  more: readonly string[] = [],
  methods = 'lora,full',
): Promise<KillBench> {
  const { home, model } = await makeModel()
  const data = join(home, 'data.jsonl')
  const lines = ROWS.map(([content, reply]) =>
    JSON.stringify({
      messages: [
        { role: 'user', content },
        { role: 'assistant', content: reply },
      ],
    }),
  )
  await writeFile(data, `${lines.join('\n')}\n`)
  const run = ['--methods', methods, '--steps', '12', '--eval-every', '4']
  return {
    home,
    words: ['--model', model, '--data', dataName ?? data, ...run, ...CHEAP, ...more, '--exit-zero'],
  }
}

/** Clients of the same file that train in rounds. */
export async function makeFederationBench(more: readonly string[]): Promise<KillBench> {
  const { home, words } = await makeKillBench()
  const [model, data] = ['--model', '--data'].map((flag) => words[words.indexOf(flag) + 1]!)
  const rounds = ['--rounds', '2', '--local-steps', '2', '--clients', '2', '--rank', '2']
  const own = ['--model', model!, '--data', data!, ...rounds, ...CHEAP, ...more, '--exit-zero']
  return { home, verb: 'federate', words: own }
}

/** The same with methods that mix, split or cut: `x-lora` of two drawn adapters beside the `others`. */
export async function makeMixedBench(others: readonly string[], more: readonly string[]) {
  const { home, words, ...rest } = await makeKillBench(
    undefined,
    more,
    ['x-lora', ...others].join(),
  )
  const adapters = await drawnAdapters(home, words[words.indexOf('--model') + 1]!, 2)
  return { ...rest, home, words: [...words, '--x-lora.adapters', adapters.join()] }
}

async function drawnAdapters(home: string, model: string, count: number): Promise<string[]> {
  const loaded = await loadModel(model)
  await loaded.open.close()
  const paths: string[] = []
  for (let seed = 1; seed <= count; seed++) {
    const drawn = { seed, rank: 4, modules: ['q_proj', 'down_proj'] }
    paths.push(await writeDrawnAdapter(join(home, `adapter-${seed}`), loaded.model, drawn))
  }
  return paths
}

/** The same with nothing to train: `count` adapters of the model, which are measured side by side. */
export async function makeCandidatesBench(count: number): Promise<KillBench> {
  const { home, model } = await makeModel()
  const paths = await drawnAdapters(home, model, count)
  const candidates = paths.flatMap((path) => ['--candidate', path])
  return { home, words: ['--model', model, ...candidates, ...CHEAP, '--exit-zero'] }
}

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
  readonly ms: number
}

interface AttemptOptions {
  readonly kill?: Kill
  /** Writes the points that were passed to this file. */
  readonly log?: string
  /** How much faster the clock runs: at thousands, a state is saved after every step. */
  readonly clock?: number
  /** Called with the process once it says that it trains. */
  readonly onTraining?: (terminate: (signal: NodeJS.Signals) => void) => void
}

/** Begins the run in `folder`, or goes on with it. */
export async function attempt(
  { words, verb = 'audit' }: KillBench,
  folder: string,
  { kill, log, clock, onTraining }: AttemptOptions = {},
): Promise<Ended> {
  const resume = runOf(folder) === undefined ? [] : ['--resume']
  const env: NodeJS.ProcessEnv = { ...process.env }
  if (kill && 'point' in kill) env['TOUCHSTONE_KILL_AT'] = kill.point
  if (log !== undefined) env['TOUCHSTONE_KILL_LOG'] = log
  if (clock !== undefined) env['TOUCHSTONE_KILL_CLOCK'] = String(clock)
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    ['--import', POINTS, ENGINE, verb, ...words, '--out-dir', folder, ...resume],
    { stdio: ['ignore', 'ignore', 'pipe'], env },
  )
  let [stderr, told] = ['', false]
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (told || !stderr.includes('training')) return
    told = true
    onTraining?.((signal) => child.kill(signal))
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  if (kill && 'afterMs' in kill) {
    await Promise.race([sleep(kill.afterMs, undefined, { ref: false }), closed])
    child.kill('SIGKILL')
  }
  const [code, signal] = await closed
  return { code, signal, stderr, ms: performance.now() - startedAt }
}

/** The only run of a folder; undefined where it was killed before it began one. */
export function runOf(folder: string): { id: string; outcome: string | null } | undefined {
  if (!existsSync(join(folder, 'touchstone.db'))) return undefined
  const store = openStore(join(folder, 'touchstone.db'))
  const runs = store.runs()
  store.close()
  if (runs.length > 1) throw new Error(`${runs.length} runs where one was resumed`)
  return runs[0]
}

/** What SQLite says of the database as the killed process left it: of a copy, so that the engine repairs the original itself. */
export function integrityOf(folder: string): unknown {
  const path = join(folder, 'touchstone.db')
  if (!existsSync(path)) return 'ok'
  const beside = mkdtempSync(join(tmpdir(), 'touchstone-copy-'))
  const copy = join(beside, 'copy.db')
  copyFileSync(path, copy)
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`)
  const database = new Database(copy)
  const said = database.pragma('integrity_check', { simple: true })
  const broken = database.pragma('foreign_key_check') as unknown[]
  database.close()
  rmSync(beside, { recursive: true })
  return broken.length > 0 ? broken : said
}

export interface Leftovers {
  /** Path below the folder → sha256; what holds times has none. */
  readonly files: Readonly<Record<string, string>>
  /** Table → rows as JSON, sorted. */
  readonly tables: Readonly<Record<string, readonly string[]>>
  /** `[arm, seed, step]` → sha256 of the saved state. Saves by time add to it, so it may differ in length. */
  readonly checkpoints: Readonly<Record<string, string>>
  readonly results: unknown
}

/** Names its run. */
const STATEMENT = /mended\.json$/u
/** What holds times or the order of events, or is compared as JSON. */
const WITH_TIMES = new Set(['touchstone.db', 'report.html', 'results.json'])
/** Findings that are made again when they are asked for, so that a kill between a run's end and their writing loses nothing. */
const MADE_AGAIN = 'RUN/found/'
const HISTORY = new Set(['run', 'event', 'checkpoint', 'chain'])

/** All that a finished run left, its name and folder replaced. */
export function leftoversOf(folder: string): Leftovers {
  const id = runOf(folder)!.id
  const plain = (text: string) => text.replaceAll(folder, 'FOLDER').replaceAll(id, 'RUN')
  const paths = globSync('**', { cwd: folder }).concat(globSync('**/.*', { cwd: folder }))
  const files = paths
    .filter((path) => !plain(path).startsWith(MADE_AGAIN) && statSync(join(folder, path)).isFile())
    .map((path) => {
      const own = digestOf(join(folder, path), STATEMENT.test(path) ? plain : undefined)
      return [plain(path), WITH_TIMES.has(plain(path)) ? '' : own]
    })
  const { tables, checkpoints } = tablesOf(folder, plain)
  const results = JSON.parse(plain(readFileSync(join(folder, 'results.json'), 'utf8'))) as {
    run: object
  }
  const timeless = { ...results.run, startedAt: '', endedAt: '', command: '' }
  return {
    files: Object.fromEntries(files.sort()) as Record<string, string>,
    tables,
    checkpoints,
    results: { ...results, run: timeless },
  }
}

const digestOf = (path: string, plain?: (text: string) => string) => {
  const bytes = readFileSync(path)
  return createHash('sha256')
    .update(plain ? plain(bytes.toString()) : bytes)
    .digest('hex')
}

function tablesOf(folder: string, plain: (text: string) => string) {
  const database = new Database(join(folder, 'touchstone.db'), { readonly: true })
  const names = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .pluck()
    .all() as string[]
  const rowsOf = (name: string) =>
    database.prepare(`SELECT * FROM ${name}`).all() as Record<string, unknown>[]
  const tables = names
    .filter((name) => !HISTORY.has(name))
    .map(
      (name) =>
        [
          name,
          rowsOf(name)
            // A sum is over the run's name too.
            .map(({ sum: _, ...row }) => plain(JSON.stringify(row)))
            .sort(),
        ] as const,
    )
  const checkpoints = rowsOf('checkpoint').map(
    ({ arm, seed, step, digest }) => [JSON.stringify([arm, seed, step]), digest as string] as const,
  )
  database.close()
  return {
    tables: Object.fromEntries(tables),
    checkpoints: Object.fromEntries(checkpoints),
  }
}

/** The run's rows as stored, and as its events give them in an empty database. */
export function replayed(folder: string): { stored: AuditRows; again: AuditRows } {
  const store = openStore(join(folder, 'touchstone.db'))
  const empty = openStore(':memory:')
  try {
    const id = store.runs()[0]!.id
    store.events(id).forEach((event) => empty.sink.event(event))
    const stored = store.rows(id)
    // Sealed replies, and with them their digests and what lends them, are in no event.
    const { replyDigests, withheld } = stored
    return { stored, again: { ...empty.rows(id), replyDigests, withheld } }
  } finally {
    store.close()
    empty.close()
  }
}
