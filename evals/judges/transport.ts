/**
 * @file HTTP to an address that the user names, for judges and for served models. Proxies and redirects are not followed, so what
 * is sent goes to that address only. Responses are untrusted: read up to a limit, and never quoted in the reason of a failure.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

/** A connection to one address; `close` ends what is on its way. */
export interface Line {
  /** Up to and with `/v1`. */
  readonly url: URL
  /** As the subject of a sentence: "The judge’s address". */
  readonly who: string
  /** Sent as a bearer token; never stored or printed. */
  readonly key?: string | undefined
  readonly agent: HttpAgent | HttpsAgent
}

interface LineOptions extends Omit<Line, 'agent'> {
  readonly maxSockets: number
}

export function openLine({ maxSockets, ...line }: LineOptions): Line {
  // A connection for each question: what a server sends after an answer would be read as the answer to the next.
  const options = { keepAlive: false, maxSockets }
  // Own agents, because the environment can make the global ones use a proxy.
  const agent = line.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
  return { ...line, agent }
}

/** Whether the address is this machine. `localhost` counts: it is always connected to 127.0.0.1. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)

/** Why the address was not answered as it should be; the message quotes nothing that came from there. */
export class Failure extends Error {
  /** Null where there was no response. */
  readonly status: number | null

  constructor(message: string, status: number | null = null) {
    super(message)
    this.status = status
  }

  /** The message to stand within a sentence. */
  get reason(): string {
    return this.message.replace(/\.$/u, '')
  }
}

/** Worth a retry: no connection, time-out, too many requests, a server error. */
export class Passing extends Failure {
  /** What the server asks to wait; null where it does not say. */
  readonly waitMs: number | null

  constructor(message: string, status: number | null = null, waitMs: number | null = null) {
    super(message, status)
    this.waitMs = waitMs
  }
}

/** No connection. */
export class Unreachable extends Passing {}

/** Encrypted, by a certificate that says nothing of who is there. */
export class Untrusted extends Failure {}

interface Exchange {
  /** After the line's own path. */
  readonly path: string
  /** Sent as JSON by POST; a GET where absent. */
  readonly body?: unknown
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** The body of the answer with status 200; throws `Failure`, and the reason of `signal` where that was aborted. */
export async function exchange(line: Line, asked: Exchange): Promise<Buffer> {
  const deadline = AbortSignal.timeout(asked.timeoutMs)
  const signal = AbortSignal.any([asked.signal, deadline])
  try {
    return await readAnswer(line, await send(line, asked, signal), asked.maxBytes)
  } catch (error) {
    if (deadline.aborted) throw new Passing(`${line.who} did not answer in time.`)
    throw error
  }
}

function send(
  { url, who, key, agent }: Line,
  { path, body }: Exchange,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const address = new URL(`${url.pathname.replace(/\/+$/, '')}${path}`, url)
  if (address.hostname === 'localhost') address.hostname = '127.0.0.1'
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const headers = {
    accept: 'application/json',
    ...(bytes && { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  }
  const request = address.protocol === 'https:' ? httpsRequest : httpRequest
  const method = bytes ? 'POST' : 'GET'
  return new Promise((resolve, reject) => {
    const sent = request(address, { method, agent, headers, signal }, resolve)
    sent.on('error', (error: NodeJS.ErrnoException) => reject(unconnected(who, error)))
    sent.end(bytes)
  })
}

/** The code is this machine's own word, not the server's. */
function unconnected(who: string, { code }: NodeJS.ErrnoException): Failure {
  const told = code === undefined ? '' : ` (${code})`
  if (code?.startsWith('HPE_')) return new Passing(`${who} sent what is no HTTP${told}.`)
  return code !== undefined && /CERT|UNABLE_TO_VERIFY/u.test(code)
    ? new Untrusted(`${who} has a certificate that is not trusted${told}.`)
    : new Unreachable(`${who} could not be reached${told}.`)
}

const BUSY: ReadonlySet<number> = new Set([408, 409, 425, 429])

async function readAnswer(
  { who }: Line,
  response: IncomingMessage,
  maxBytes: number,
): Promise<Buffer> {
  const status = response.statusCode ?? 0
  if (status !== 200) {
    response.destroy()
    const why = `${who} answered with status ${status}.`
    if (status < 500 && !BUSY.has(status)) throw new Failure(why, status)
    throw new Passing(why, status, secondsOf(response.headers['retry-after']))
  }
  if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') {
    response.destroy()
    throw new Failure(`${who} sent a compressed answer, which was not asked for.`, status)
  }
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > maxBytes) break
    }
  } catch {
    throw new Passing(`${who} broke off in the middle of an answer.`, status)
  }
  if (length <= maxBytes) return Buffer.concat(chunks)
  throw new Failure(`${who} sent an answer that is longer than ${maxBytes / 2 ** 20} MiB.`, status)
}

/** `Retry-After` in its form of seconds, as milliseconds. */
const secondsOf = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,4}$/.test(header.trim()) ? Number(header) * 1000 : null

/** Tries again after each pause where the failure passes. */
export async function patiently<T>(
  pausesMs: readonly number[],
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    signal.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      const wait = pausesMs[tried]
      if (!(error instanceof Passing) || wait === undefined) throw error
      await pause(Math.max(wait, Math.min(error.waitMs ?? 0, LONGEST_WAIT)), undefined, { signal })
    }
  }
}

/** A server may ask for longer; the retries are finite all the same. */
const LONGEST_WAIT = 30_000
