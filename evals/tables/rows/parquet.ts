/** @file Rows of a Parquet file, one row group in memory at a time. A row's place is its number from 0. */
import { open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { parquetMetadataAsync, type FileMetaData } from 'hyparquet'
import { scriptBeside } from '../../files/script-beside.ts'
import type { Row } from '../table.ts'
import { unreadable } from '../text.ts'
import { bufferOf } from './parquet-buffer.ts'
import type { ParquetAnswer } from './parquet-thread.ts'
import type { PlacedRow } from './row-file.ts'

/** Of a row group's bytes before compression: as objects they take several times as much. */
const LARGEST_GROUP = 256 * 2 ** 20
/** Writers stop at a million unless they are told otherwise. */
const MOST_ROWS = 2 ** 23
/** Objects take up to this many times the bytes of their row group, in the reader's thread. */
const HEAP = { least: 128, perByte: 16 }
/** Of processor time for one answer; a slow machine decodes some 20 MiB a second. */
const PATIENCE = { leastMs: 2000, msPerMiB: 250 }
const LOOK_MS = 250

export async function* parquetRows(path: string, start: number): AsyncGenerator<PlacedRow> {
  const groups = await groupsOf(path)
  const total = groups.reduce((sum, { rows }) => sum + rows, 0)
  const thread = startThread(path, Math.max(0, ...groups.map(({ bytes }) => bytes)))
  try {
    for (let from = start; from < total;) {
      const rows = await thread.rowsFrom(from)
      for (const row of rows) yield { row, place: from++ }
    }
  } finally {
    await thread.stop()
  }
}

interface Group {
  readonly rows: number
  readonly bytes: number
}

/** From the file's end alone. */
async function groupsOf(path: string): Promise<readonly Group[]> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error.code ?? error.message, error)
  })
  try {
    const metadata = await parquetMetadataAsync(await bufferOf(handle))
    return declaredGroups(metadata, path)
  } catch (error) {
    throw refused(path, error)
  } finally {
    await handle.close()
  }
}

function declaredGroups({ row_groups: groups }: FileMetaData, path: string): Group[] {
  return groups.map(({ num_rows: count, total_byte_size: size }) => {
    const [rows, bytes] = [Number(count), Number(size)]
    if (bytes > LARGEST_GROUP) {
      const found = `a row group of ${bytes} bytes, above ${LARGEST_GROUP}; write the file with smaller row groups, or as JSON Lines`
      throw unreadable(path, found)
    }
    if (!(rows > 0 && rows <= MOST_ROWS)) throw unreadable(path, `a row group of ${rows} rows`)
    return { rows, bytes: Math.max(0, bytes) }
  })
}

/** One question at a time. The thread may end at any moment, between questions too: its library leaves rejections unheard. */
function startThread(path: string, groupBytes: number) {
  const MiB = groupBytes / 2 ** 20
  const worker = new Worker(scriptBeside(import.meta.filename, 'parquet-thread'), {
    workerData: path,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(HEAP.least + HEAP.perByte * MiB) },
  })
  const patience = PATIENCE.leastMs + PATIENCE.msPerMiB * MiB
  const { promise: ended, reject } = Promise.withResolvers<never>()
  worker.on('error', reject).on('exit', () => reject(new Error('its reader ended')))
  // Nobody may be waiting.
  ended.catch(() => undefined)
  return {
    stop: () => worker.terminate(),
    async rowsFrom(from: number): Promise<readonly Row[]> {
      const watchdog = watch(worker, patience)
      try {
        const answer = await Promise.race([answerOf(worker, from), ended, watchdog.late])
        if ('why' in answer) throw new Error(answer.why)
        if (answer.rows.length === 0) throw new Error('fewer rows than the file declares')
        return answer.rows
      } catch (error) {
        throw refused(path, error)
      } finally {
        watchdog.rest()
      }
    },
  }
}

function answerOf(worker: Worker, from: number): Promise<ParquetAnswer> {
  const { promise, resolve } = Promise.withResolvers<ParquetAnswer>()
  worker.once('message', resolve)
  worker.postMessage(from)
  return promise
}

/** By the thread's processor time, so that a busy machine is no reason to refuse a file. */
function watch(worker: Worker, patienceMs: number) {
  const { promise: late, reject } = Promise.withResolvers<never>()
  // Nobody may be waiting any more.
  late.catch(() => undefined)
  let before: number | undefined
  const look = async () => {
    const { user, system } = await worker.cpuUsage()
    const now = (user + system) / 1000
    before ??= now
    if (now - before > patienceMs) reject(new Error('pages that never end'))
  }
  // A thread that has just ended cannot be asked; its end is told by its own event.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS)
  return { late, rest: () => clearInterval(timer) }
}

function refused(path: string, error: unknown) {
  if (error instanceof Error && 'remedy' in error) return error
  const codec = /unsupported compression codec: (\w+)/.exec(String(error))?.[1]
  const found = codec ? `Parquet compressed with ${codec}` : 'a damaged Parquet file'
  return unreadable(path, found, error)
}
