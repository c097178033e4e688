/**
 * @file The engine over HTTP on the loopback interface, for `touchstone serve`: the built files, `/session` (a cookie for a
 * token), `/call`, `/events` (the feed), `/report/RUN`, and `/download/PATH` for a file that a call has just written.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { z } from 'zod'
import { cursorOf, type FeedMessage } from '../contract/feed.ts'
import type { Answer } from '../contract/rpc.ts'
import type { Engine } from '../engine/engine.ts'
import { createGateKeeper, objection, type GateKeeper } from './gate-keeper.ts'
import { bodyOf, closed, createLocalServer, EVERYWHERE, listening, LOOPBACK } from './loopback.ts'
import type { StaticFile } from './static-files.ts'

export interface HttpHost {
  /** The address with the current token, which works once. */
  link(): string
  close(): Promise<void>
}

interface HttpOptions {
  readonly engine: Engine
  readonly files: ReadonlyMap<string, StaticFile>
  /** 0: any free port. */
  readonly port: number
  /** Called after a link was used. */
  readonly onOpened?: () => void
}

const LARGEST_MESSAGE = 2 ** 20
/** A window must notice within two seconds that the server is gone. */
const HEARTBEAT_MS = 1000

/** A picture may be one that the page itself drew, to be saved. */
const CSP =
  "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** A report is one file with its own style, and no script. */
const REPORT_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

export async function serveHttp({ engine, files, port, onOpened }: HttpOptions): Promise<HttpHost> {
  const server = createLocalServer()
  const taken = await listening(server, port)
  const keeper = createGateKeeper(`touchstone_${taken}`)
  const routes = { engine, files, onOpened, keeper, written: new Set<string>() }
  server.on('request', (request, response) => {
    void respond(request, response, routes).catch(() => refuse(response, 500))
  })
  return {
    link: () => `http://${LOOPBACK}:${taken}/#token=${keeper.token()}`,
    close: () => closed(server),
  }
}

interface Routes extends Pick<HttpOptions, 'engine' | 'files' | 'onOpened'> {
  readonly keeper: GateKeeper
  /** Files that calls told they wrote: these alone can be downloaded. */
  readonly written: Set<string>
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes,
): Promise<void> {
  for (const [name, value] of Object.entries(EVERYWHERE)) response.setHeader(name, value)
  response.setHeader('Content-Security-Policy', CSP)
  if (objection(request.headers) !== undefined) return refuse(response, 403)
  // Not decoded, so that no encoding hides a path.
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const file = routes.files.get(path)
  if (request.method === 'GET' && file) return send(response, 200, file.type, file.body)
  if (request.method === 'POST' && path === '/session')
    return openSession(request, response, routes)
  if (!SIGNED_IN.some((known) => path === known || (known.endsWith('/') && path.startsWith(known))))
    return refuse(response, 404)
  if (!routes.keeper.hasSession(request.headers)) return refuse(response, 401)
  if (request.method === 'POST' && path === '/call') return answerCall(request, response, routes)
  if (request.method !== 'GET') return refuse(response, 405)
  if (path === '/events') return openEvents(request, response, query, routes)
  if (path.startsWith(DOWNLOAD)) return sendWritten(path.slice(DOWNLOAD.length), response, routes)
  return sendReport(path.slice(REPORT.length), response, routes)
}

const REPORT = '/report/'
const DOWNLOAD = '/download/'
/** Paths, and beginnings of paths, that only a window with a session may ask for. */
const SIGNED_IN = ['/call', '/events', REPORT, DOWNLOAD]

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': type }).end(body)
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'This message cannot be read.',
  401: 'Open the link that touchstone serve printed.',
  403: 'Only the window on this machine is answered.',
  404: 'There is nothing here.',
  405: 'Not in this way.',
  413: 'This message is too large.',
  415: 'Messages are JSON.',
}

function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) return void response.destroy()
  // The rest of the request is not read.
  response.setHeader('Connection', 'close')
  send(response, status, 'text/plain; charset=utf-8', `${REASONS[status] ?? 'That failed.'}\n`)
}

const TokenMessage = z.object({ token: z.string().max(200) })

async function openSession(
  request: IncomingMessage,
  response: ServerResponse,
  { keeper, onOpened }: Routes,
): Promise<void> {
  const body = await bodyOf(request, LARGEST_MESSAGE)
  if (typeof body === 'number') return refuse(response, body)
  const message = TokenMessage.safeParse(body.value)
  if (!message.success) return refuse(response, 400)
  const session = keeper.exchange(message.data.token)
  if (session === undefined) return refuse(response, 401)
  response.setHeader('Set-Cookie', keeper.cookie(session))
  response.writeHead(204).end()
  onOpened?.()
}

async function answerCall(
  request: IncomingMessage,
  response: ServerResponse,
  { engine, written }: Routes,
): Promise<void> {
  const body = await bodyOf(request, LARGEST_MESSAGE)
  if (typeof body === 'number') return refuse(response, body)
  const answer: Answer = await engine.answer(body.value)
  if (answer.ok && WRITERS.has((body.value as { name: unknown }).name))
    for (const { path } of Exported.parse(answer.value).files) written.add(path)
  send(response, 200, 'application/json', JSON.stringify(answer))
}

/** Server-sent events. A browser that reconnects sends the id of its last message by itself. */
function openEvents(
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
  { engine }: Routes,
): void {
  const last = request.headers['last-event-id']
  const cursor =
    typeof last === 'string' ? last : (new URLSearchParams(query).get('cursor') ?? undefined)
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  const write = (message: FeedMessage) => {
    response.write(`id: ${cursorOf(message)}\ndata: ${JSON.stringify(message)}\n\n`)
    // A window that does not read is disconnected; it reconnects with its last id.
    if (response.writableLength > LARGEST_UNREAD) response.destroy()
  }
  const stop = engine.listen(write, cursor)
  const heart = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS)
  response.on('close', () => {
    clearInterval(heart)
    stop()
  })
}

const LARGEST_UNREAD = 16 * 2 ** 20

const Exported = z.object({ files: z.array(z.object({ path: z.string() })).min(1) })
/** Calls that answer so. */
const WRITERS = new Set<unknown>(['run.export'])

async function sendReport(
  runId: string,
  response: ServerResponse,
  { engine }: Routes,
): Promise<void> {
  const answer = await engine.answer({ name: 'run.export', input: { runId, what: 'report' } })
  if (!answer.ok) return refuse(response, 404)
  const html = await readFile(Exported.parse(answer.value).files[0]!.path)
  response.setHeader('Content-Security-Policy', REPORT_CSP)
  send(response, 200, 'text/html; charset=utf-8', html)
}

/** @param encoded a path that a call told it wrote */
async function sendWritten(
  encoded: string,
  response: ServerResponse,
  { written }: Routes,
): Promise<void> {
  const path = [...written].find((each) => encodeURIComponent(each) === encoded)
  const body = path === undefined ? undefined : await readFile(path).catch(() => undefined)
  if (path === undefined || body === undefined) return refuse(response, 404)
  const name = encodeURIComponent(basename(path))
  response.setHeader('Content-Disposition', `attachment; filename*=UTF-8''${name}`)
  send(response, 200, 'application/octet-stream', body)
}
