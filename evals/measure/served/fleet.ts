/**
 * @file Requests to one or several addresses of the same model: each goes to the address that has most room, and one whose address
 * fails is asked of another. How many are on their way adapts to each server: one more after a round of answers, half after a
 * failure that passes (additive increase, multiplicative decrease).
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import {
  exchange,
  Failure,
  openLine,
  Passing,
  patiently,
  type Line,
} from '../../judges/transport.ts'

interface Patience {
  /** Time limit of one reply. */
  readonly timeoutMs: number
  /** Before each new attempt at one request. */
  readonly pausesMs: readonly number[]
}

/** Twelve attempts over about three minutes, beside their time limits. */
const PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 30_000, 30_000]

/** Whoever waits for a first answer sits before it. */
const PROBE_PAUSES_MS = [500, 2000]

export const patienceOf = (timeoutSeconds: number): Patience => ({
  timeoutMs: timeoutSeconds * 1000,
  pausesMs: PAUSES_MS,
})

const FIRST_AT_ONCE = 4
const MOST_AT_ONCE = 32
const LONGEST_ANSWER = 4 * 2 ** 20
/** An address that fails so often in a row gets no more requests while another answers. */
const DEAD_AFTER = 4

interface Server {
  readonly line: Line
  limit: number
  busy: number
  /** Answers since `limit` last changed. */
  answered: number
  /** Failures in a row. */
  failed: number
}

/** One request; `read` throws `Failure` for an answer that is none. */
export interface Asked<T> {
  /** For errors: "the prompt q1". */
  readonly what: string
  readonly path: string
  readonly body?: unknown
  readonly read: (answer: Buffer, address: string) => T
}

export interface Fleet {
  readonly addresses: readonly string[]
  /** Of any address. Throws `served.failed` when the last attempt failed, and what `read` throws. */
  ask<T>(asked: Asked<T>, signal: AbortSignal): Promise<T>
  /** Of this address, with few attempts; throws `Failure`. */
  askAt<T>(index: number, asked: Asked<T>, signal: AbortSignal): Promise<T>
  /** Most requests that can be on their way. */
  readonly most: number
  /** Nothing is asked after it. */
  close(): void
}

export function openFleet(
  urls: readonly URL[],
  key: string | undefined,
  patience: Patience,
): Fleet {
  const servers = urls.map((url): Server => {
    const who = `The server at ${url.host}`
    const line = openLine({ url, key, who, maxSockets: MOST_AT_ONCE })
    return { line, limit: FIRST_AT_ONCE, busy: 0, answered: 0, failed: 0 }
  })
  const crew: Crew = { servers, waiting: [], timeoutMs: patience.timeoutMs }
  const closing = new AbortController()
  const until = (signal: AbortSignal) => AbortSignal.any([signal, closing.signal])
  return {
    addresses: urls.map(({ href }) => href),
    most: MOST_AT_ONCE * servers.length,
    async ask(asked, outer) {
      const signal = until(outer)
      try {
        return await patiently(patience.pausesMs, signal, () => askAny(crew, asked, signal))
      } catch (error) {
        signal.throwIfAborted()
        throw error instanceof Failure ? failureOf(error, asked.what, servers) : error
      }
    },
    askAt: (index, asked, signal) =>
      patiently(PROBE_PAUSES_MS, until(signal), () =>
        askOne(crew, servers[index]!, asked, until(signal)),
      ),
    close() {
      closing.abort()
      servers.forEach(({ line }) => line.agent.destroy())
    },
  }
}

interface Crew {
  readonly servers: readonly Server[]
  /** Woken when a place may be free. */
  readonly waiting: (() => void)[]
  readonly timeoutMs: number
}

async function askOne<T>(
  { timeoutMs }: Pick<Crew, 'timeoutMs'>,
  { line }: Server,
  { path, body, read }: Asked<T>,
  signal: AbortSignal,
): Promise<T> {
  const asked = { path, body, timeoutMs, maxBytes: LONGEST_ANSWER, signal }
  return read(await exchange(line, asked), line.url.href)
}

async function askAny<T>(crew: Crew, asked: Asked<T>, signal: AbortSignal): Promise<T> {
  const server = await freeServer(crew, signal)
  try {
    const answer = await askOne(crew, server, asked, signal)
    answeredBy(server)
    return answer
  } catch (error) {
    failedBy(server, error)
    throw error
  } finally {
    server.busy--
    crew.waiting.splice(0).forEach((wake) => wake())
  }
}

/** Waits for a place at the address with most room, and takes it. */
async function freeServer({ servers, waiting }: Crew, signal: AbortSignal): Promise<Server> {
  for (;;) {
    signal.throwIfAborted()
    const isAlive = ({ failed }: Server) => failed < DEAD_AFTER
    const alive = servers.some(isAlive) ? servers.filter(isAlive) : servers
    const best = alive.reduce((a, b) => (b.limit - b.busy > a.limit - a.busy ? b : a))
    if (best.limit > best.busy) {
      // At once, before another request looks.
      best.busy++
      return best
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
}

function answeredBy(server: Server): void {
  server.failed = 0
  if (++server.answered < server.limit) return
  server.limit = Math.min(MOST_AT_ONCE, server.limit + 1)
  server.answered = 0
}

function failedBy(server: Server, error: unknown): void {
  if (!(error instanceof Passing)) return
  server.failed++
  server.limit = Math.max(1, Math.floor(server.limit / 2))
  server.answered = 0
}

const failureOf = ({ reason: why }: Failure, what: string, servers: readonly Server[]) =>
  new TouchstoneError('served.failed', {
    address: servers.map(({ line }) => line.url.href).join(', '),
    what,
    why,
  })
