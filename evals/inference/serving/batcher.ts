/**
 * @file Continuous batching (S-LoRA, sections 4 and 5): requests for one base and its adapters join a running batch and leave
 * it token by token. A reply's tokens do not depend on the batch.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { decode, evenWidth, inCompany, int32, prefill, readOn } from '../feeds.ts'
import { createAdapterSlots, type AdapterFeeds, type Kind } from './adapter-slots.ts'
import { createAdapterTables } from './adapter-tables.ts'
import { admitted, fits, readings, type Claim, type Limits } from './admission.ts'
import { choose, scoreOf, type Choice, type Chosen, type Scored } from './choose.ts'
import type { PagedRow } from './gathered-cells.ts'
import type { PagedSession } from './paged-session.ts'
import type { Pool } from './pool.ts'
import { createResidents, type Residents, type ServedAdapter } from './residents.ts'

export interface Asked extends Choice {
  readonly ids: readonly number[]
  /** Undefined for the base. */
  readonly adapter?: ServedAdapter | undefined
  readonly maxNewTokens: number
  /** Whether the prompt's own tokens are scored, with `top` alternatives. */
  readonly scoresPrompt?: boolean
  readonly signal: AbortSignal
  /** Called for each token, the end token included; true where it is enough. */
  readonly onToken: (token: Chosen, isEnd: boolean) => boolean
}

export interface Written {
  readonly stop: 'end' | 'enough' | 'length'
  /** Of each token of the prompt but the first, where they are wanted. */
  readonly prompt?: readonly Scored[]
}

export interface Batcher {
  write(asked: Asked): Promise<Written>
  readonly now: { readonly running: number; readonly waiting: number; readonly free: number }
  readonly totals: { readonly steps: number; readonly tokens: number; readonly loads: number }
  /** Refuses what waits, and resolves when nothing runs. */
  close(): Promise<void>
}

export interface BatcherOptions {
  readonly session: PagedSession
  readonly pool: Pool
  readonly kinds: readonly Kind[]
  readonly threads: number
  readonly limits: Limits
  readonly endIds: ReadonlySet<number>
  readonly padId: number
  /** Requests that may wait. */
  readonly mostWaiting: number
  /** Milliseconds until a first token; what cannot meet it is refused before it runs. Null: no limit. */
  readonly firstTokenMs: number | null
  /** Milliseconds. */
  readonly clock: () => number
}

interface Row {
  readonly asked: Asked
  readonly arrived: number
  /** The prompt and the written tokens. */
  readonly ids: number[]
  /** Room for all of its tokens; the first `taken` are its own. */
  readonly cells: Int32Array
  taken: number
  /** Tokens in the cache. */
  held: number
  prompt?: Scored[]
  readonly settle: (outcome: Written) => void
  readonly fail: (why: unknown) => void
}

interface State {
  readonly options: BatcherOptions
  readonly residents: Residents
  /** For reading prompts and for writing tokens, so that neither displaces the other's adapters. */
  readonly slots: Readonly<Record<'read' | 'write', AdapterFeeds>>
  waiting: Row[]
  running: Row[]
  isClosed: boolean
  steps: number
  tokens: number
  /** Milliseconds to read a token of a prompt, smoothed. */
  msPerToken: number
  wake: () => void
}

const writtenOf = ({ ids, asked }: Row): number => ids.length - asked.ids.length

const claimOf = (row: Row): Claim => {
  const { asked, ids } = row
  const { adapter } = asked
  const left = asked.maxNewTokens - writtenOf(row)
  return {
    held: ids.length,
    left,
    adapter: adapter && { name: adapter.name, cells: adapter.kind.cells },
  }
}

export function createBatcher(options: BatcherOptions): Batcher {
  const kindsByName = new Map<string, Kind>()
  const state = emptyState(options, (name) => kindsByName.get(name)!)
  const done = loop(state)
  return {
    write(asked) {
      const { adapter } = asked
      if (adapter) kindsByName.set(adapter.name, adapter.kind)
      return join(state, asked)
    },
    get now() {
      const { running, waiting } = state
      return { running: running.length, waiting: waiting.length, free: options.pool.free }
    },
    get totals() {
      return { steps: state.steps, tokens: state.tokens, loads: state.residents.loads }
    },
    async close() {
      state.isClosed = true
      state.wake()
      await done
    },
  }
}

function emptyState(options: BatcherOptions, kindOfName: (name: string) => Kind): State {
  const { session, pool, kinds, threads, limits } = options
  const residents = createResidents(pool)
  const places = { cellsOf: (name: string) => residents.cellsOf(name), kindOfName }
  const sizes = { threads, most: limits.rows }
  const slots = () =>
    session.readsCells
      ? createAdapterTables(kinds, places)
      : createAdapterSlots(kinds, pool, sizes, places)
  return {
    options,
    residents,
    slots: { read: slots(), write: slots() },
    waiting: [],
    running: [],
    isClosed: false,
    steps: 0,
    tokens: 0,
    msPerToken: 0,
    wake: () => undefined,
  }
}

/** Queues a request. Throws where it could never run, or too many wait. */
function join(state: State, asked: Asked): Promise<Written> {
  const { limits, mostWaiting, session, clock } = state.options
  const tokens = asked.ids.length + asked.maxNewTokens
  const { maxPositions } = session
  if (asked.ids.length === 0 || tokens > maxPositions)
    throw new TouchstoneError('prompt.too-long', { key: 'prompt', tokens, limit: maxPositions })
  if (state.isClosed || state.waiting.length >= mostWaiting)
    throw new TouchstoneError('serve.busy', { waiting: state.waiting.length })
  return new Promise((settle, fail) => {
    const row: Row = {
      asked,
      arrived: clock(),
      ids: [...asked.ids],
      cells: new Int32Array(tokens),
      taken: 0,
      held: 0,
      settle,
      fail,
    }
    if (!fits([claimOf(row)], limits))
      return fail(new TouchstoneError('serve.pool', { tokens, cells: limits.cells }))
    state.waiting.push(row)
    asked.signal.addEventListener('abort', () => state.wake(), { once: true })
    state.wake()
  })
}

async function loop(state: State): Promise<void> {
  for (;;) {
    dropGone(state)
    if (state.isClosed) state.waiting.splice(0).forEach((row) => row.fail(stopped()))
    if (state.running.length === 0 && state.waiting.length === 0) {
      if (state.isClosed) return
      await new Promise<void>((resolve) => (state.wake = resolve))
      continue
    }
    const newcomers = admit(state)
    try {
      if (newcomers.length > 0) await readPrompts(state, newcomers)
      else await writeTokens(state)
    } catch (error) {
      // Nobody else's fault can be told apart; all fail, and the next requests find an empty batch.
      for (const row of [...state.running]) leave(state, row).fail(error)
    }
    // Lets requests arrive, and disconnections be noticed.
    await new Promise(setImmediate)
  }
}

const stopped = () => new TouchstoneError('serve.busy', { waiting: 0 })

function dropGone(state: State): void {
  const isGone = ({ asked }: Row) => asked.signal.aborted
  for (const row of state.running.filter(isGone)) leave(state, row).fail(row.asked.signal.reason)
  for (const row of state.waiting.filter(isGone)) row.fail(row.asked.signal.reason)
  state.waiting = state.waiting.filter((row) => !isGone(row))
}

/** Takes a row out of the batch and gives its cells back. */
function leave(state: State, row: Row): Row {
  state.running.splice(state.running.indexOf(row), 1)
  state.options.pool.give(row.cells.subarray(0, row.taken))
  row.taken = 0
  return row
}

/** Early abort: who cannot have a first token in time is refused at once, and holds up nobody. */
function refuseLate(state: State): void {
  const { firstTokenMs, clock } = state.options
  if (firstTokenMs === null) return
  const now = clock()
  const isLate = ({ arrived, ids }: Row) =>
    now + ids.length * state.msPerToken > arrived + firstTokenMs
  for (const row of state.waiting.filter(isLate))
    row.fail(new TouchstoneError('serve.late', { seconds: firstTokenMs / 1000 }))
  state.waiting = state.waiting.filter((row) => !isLate(row))
}

/** Moves those who may join from the queue into the batch. */
function admit(state: State): Row[] {
  refuseLate(state)
  const { limits } = state.options
  const next = () => state.waiting.slice(0, limits.rows)
  const isFull = state.running.length >= limits.rows
  const count = isFull ? 0 : admitted(state.running.map(claimOf), next().map(claimOf), limits)
  const newcomers = state.waiting.splice(0, count)
  state.running.push(...newcomers)
  // Read from disk while the batch runs; what is not named here is forgotten.
  const soon = [...newcomers, ...next()]
  state.residents.prefetch(soon.flatMap(({ asked }) => asked.adapter ?? []))
  return newcomers
}

const namesOf = (rows: readonly Row[]): Set<string> =>
  new Set(rows.flatMap(({ asked }) => asked.adapter?.name ?? []))

/** Brings each row's adapter; rows whose adapter cannot be read leave. */
async function bringAdapters(state: State, rows: readonly Row[]): Promise<Row[]> {
  const there: Row[] = []
  let needed = namesOf(state.running)
  for (const row of rows) {
    const { adapter } = row.asked
    try {
      if (adapter && !(await state.residents.bring(adapter, needed)))
        throw new Error('internal: an admitted adapter found no cells')
      there.push(row)
    } catch (error) {
      leave(state, row).fail(error)
      needed = namesOf(state.running)
    }
  }
  return there
}

async function readPrompts(state: State, newcomers: readonly Row[]): Promise<void> {
  const rows = await bringAdapters(state, newcomers)
  const started = state.options.clock()
  const alone = rows.filter(({ asked }) => asked.scoresPrompt)
  const together = rows.filter(({ asked }) => !asked.scoresPrompt)
  for (const row of alone) await scorePrompt(state, row)
  for (const part of readings(together)) await readWhole(state, part)
  const tokens = rows.reduce((sum, { ids }) => sum + ids.length, 0)
  const ms = (state.options.clock() - started) / Math.max(1, tokens)
  state.msPerToken = state.msPerToken === 0 ? ms : 0.9 * state.msPerToken + 0.1 * ms
}

/** Computes rows from their first token on. */
async function readWhole(state: State, rows: readonly Row[]): Promise<void> {
  const width = evenWidth(Math.max(...rows.map(({ ids }) => ids.length)))
  const feeds = prefill(rows, width, state.options.padId)
  const picked = inCompany([...feeds.rows.data])
  await run(state, rows, 'read', { ...feeds, rows: int32(picked as number[]) }, 0)
}

async function writeTokens(state: State): Promise<void> {
  const { stretch } = state.options.session
  const isStale = ({ held }: Row) => stretch !== undefined && stretch(held + 1) !== stretch(held)
  const stale = state.running.filter(isStale)
  const rows = state.running.filter((row) => !stale.includes(row))
  for (const part of readings(stale)) await readWhole(state, part)
  if (rows.length === 0) return
  const padded = inCompany(rows)
  const feeds = decode(
    padded.map(({ ids }) => ids.at(-1)!),
    padded.map(({ held }) => held),
  )
  state.steps++
  await run(state, rows, 'write', feeds)
}

/** One run. `from`: the first token that is computed; what each row holds, if absent. */
async function run(
  state: State,
  rows: readonly Row[],
  what: 'read' | 'write',
  feeds: ReturnType<typeof decode>,
  from?: number,
): Promise<void> {
  const { session, pool } = state.options
  const needed = namesOf(state.running)
  const paged = rows.map((row) => pagedRow(state, row, [from ?? row.held, row.ids.length], needed))
  const { logits, vocab } = await session.run(
    pool,
    paged,
    feeds,
    adapterFeeds(state, rows, what, feeds),
  )
  rows.forEach((row, i) => take(state, row, logits.subarray(i * vocab, (i + 1) * vocab)))
}

/** The row's tokens from `from` to `end`, with cells for all of them. */
function pagedRow(
  { residents }: State,
  row: Row,
  [from, end]: readonly [number, number],
  needed: ReadonlySet<string>,
): PagedRow {
  const more = end - row.taken
  if (more > 0) {
    const cells = residents.take(more, needed)
    if (!cells) throw new Error('internal: an admitted request found no cells')
    row.cells.set(cells, row.taken)
    row.taken = end
  }
  row.held = end
  return { cells: row.cells, from, count: end - from }
}

const adapterFeeds = (
  state: State,
  rows: readonly Row[],
  what: 'read' | 'write',
  { tokens }: ReturnType<typeof decode>,
) => {
  const [batch, seq] = tokens.dims as [number, number]
  const names = rows.map(({ asked }) => asked.adapter?.name)
  return state.slots[what].feeds(batch > rows.length ? [...names, ...names] : names, seq)
}

/** Tokens of a prompt that are scored in one run: each gives the logits of a whole vocabulary. */
const SCORED_AT_ONCE = 128

async function scorePrompt(state: State, row: Row): Promise<void> {
  const { session, pool, padId } = state.options
  const { ids } = row
  const scores: Scored[] = []
  for (let from = 0; from < ids.length; from += SCORED_AT_ONCE) {
    const end = Math.min(ids.length, from + SCORED_AT_ONCE)
    const count = end - from
    const feeds = {
      ...readOn(ids.slice(0, end), from, padId),
      rows: int32(inCompany(Array.from({ length: count }, (_, i) => i))),
    }
    const paged = [pagedRow(state, row, [from, end], namesOf(state.running))]
    const own = adapterFeeds(state, [row], 'read', feeds)
    const { logits, vocab } = await session.run(pool, paged, feeds, own)
    const rowOf = (t: number) => logits.subarray((t - from) * vocab, (t - from + 1) * vocab)
    for (let t = from; t < end && t + 1 < ids.length; t++)
      scores.push(scoreOf(rowOf(t), ids[t + 1]!, row.asked.top ?? 0))
    if (end < ids.length) continue
    row.prompt = scores
    take(state, row, rowOf(end - 1))
  }
}

function take(state: State, row: Row, logits: Float32Array): void {
  const { asked } = row
  if (asked.maxNewTokens === 0) return finish(state, row, 'length')
  const chosen = choose(logits, asked, writtenOf(row))
  if (!chosen)
    return void leave(state, row).fail(
      new TouchstoneError('serve.not-finite', { model: asked.adapter?.name ?? 'the base' }),
    )
  row.ids.push(chosen.id)
  state.tokens++
  const isEnd = state.options.endIds.has(chosen.id)
  let isEnough: boolean
  try {
    isEnough = asked.onToken(chosen, isEnd)
  } catch (error) {
    return void leave(state, row).fail(error)
  }
  if (isEnd) finish(state, row, 'end')
  else if (isEnough) finish(state, row, 'enough')
  else if (writtenOf(row) === asked.maxNewTokens) finish(state, row, 'length')
}

function finish(state: State, row: Row, stop: Written['stop']): void {
  leave(state, row).settle({ stop, ...(row.prompt && { prompt: row.prompt }) })
}
