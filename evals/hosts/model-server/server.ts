/**
 * @file Models over HTTP on the loopback interface, in the form of OpenAI's API: `/v1/models`, `/v1/chat/completions`,
 * `/v1/completions`. Prompts and replies are written nowhere but into the answer.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { ServedModel, ServedModels } from '../../measure/serving/open-served.ts'
import { isSame, objection } from '../gate-keeper.ts'
import { bodyOf, closed, createLocalServer, EVERYWHERE, listening, LOOPBACK } from '../loopback.ts'
import { answer, type Answer, type Wanted } from './answers.ts'
import { chatForm, completionForm, type Form } from './forms.ts'
import { refusalOf, refusalWith, type Refusal } from './refusals.ts'
import { ChatRequest, CompletionRequest, parsed } from './requests.ts'

interface ModelServer {
  /** Up to `/v1`. */
  readonly address: string
  close(): Promise<void>
}

interface Options {
  readonly served: ServedModels
  /** The bearer token. */
  readonly token: string
  /** 0: any free port. */
  readonly port: number
}

const LARGEST_BODY = 4 * 2 ** 20
/** Bytes that a client may leave unread. */
const LARGEST_UNREAD = 4 * 2 ** 20

const FORMS: Readonly<Record<string, (body: unknown) => Form>> = {
  '/v1/chat/completions': (body) => chatForm(parsed(ChatRequest, body)),
  '/v1/completions': (body) => completionForm(parsed(CompletionRequest, body)),
}

export async function serveModels({ served, token, port }: Options): Promise<ModelServer> {
  // A reply may take longer than any limit on a request; that one is on its body.
  const server = createLocalServer()
  const taken = await listening(server, port)
  server.on('request', (request, response) => {
    void respond(request, response, served, token).catch((error) =>
      refuse(response, refusalOf(error)),
    )
  })
  return { address: `http://${LOOPBACK}:${taken}/v1`, close: () => closed(server) }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  served: ServedModels,
  token: string,
): Promise<void> {
  for (const [name, value] of Object.entries(EVERYWHERE)) response.setHeader(name, value)
  if (objection(request.headers) !== undefined) return refuse(response, refusalWith(403))
  const [path = ''] = (request.url ?? '').split('?', 1)
  // For those who wait until it is up.
  if (path === '/health') return send(response, 200, { status: 'ok' })
  const given = /^Bearer (?<token>.+)$/u.exec(request.headers.authorization ?? '')?.groups!['token']
  if (given === undefined || !isSame(given, token)) return refuse(response, refusalWith(401))
  if (path === '/v1/models' || path.startsWith('/v1/models/')) {
    if (request.method !== 'GET') return refuse(response, refusalWith(405))
    return send(response, 200, listed(served, path.slice('/v1/models/'.length)))
  }
  const form = Object.hasOwn(FORMS, path) ? FORMS[path] : undefined
  if (!form) return refuse(response, refusalWith(404))
  if (request.method !== 'POST') return refuse(response, refusalWith(405))
  const body = await bodyOf(request, LARGEST_BODY)
  if (typeof body === 'number') return refuse(response, refusalWith(body))
  await answerWith(form(body.value), served, response)
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

function refuse(response: ServerResponse, { status, body }: Refusal): void {
  if (response.headersSent) {
    // In a stream the error is its last event.
    response.end(`data: ${JSON.stringify(body)}\n\n`)
    return
  }
  // The rest of a body that is refused is not read.
  response.setHeader('Connection', 'close')
  send(response, status, body)
}

/** `created` of the models: when they were opened here. */
const STARTED = Math.floor(Date.now() / 1000)

function listed(served: ServedModels, name: string): unknown {
  if (name !== '') return entryOf(served, modelOf(served, nameIn(name)))
  const data = [...served.models.values()].map((model) => entryOf(served, model))
  return { object: 'list', data }
}

function nameIn(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const entryOf = (served: ServedModels, { name, lane, adapter }: ServedModel) => ({
  id: name,
  object: 'model',
  created: STARTED,
  owned_by: 'touchstone',
  max_model_len: lane.maxPositions,
  ...(lane.session.cache[0]?.kept && { cache_precision: lane.session.cache[0].kept }),
  parent: adapter ? served.base : null,
})

function modelOf({ models }: ServedModels, name: string): ServedModel {
  const found = models.get(name)
  if (!found)
    throw new TouchstoneError('serve.no-model', {
      model: name.slice(0, 100),
      known: [...models.keys()],
    })
  return found
}

async function answerWith(
  form: Form,
  served: ServedModels,
  response: ServerResponse,
): Promise<void> {
  const model = modelOf(served, form.model)
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const wanted = await form.wanted(model.lane)
  requireRoom(wanted, model.lane.mostWaiting)
  const context = { tokenizer: model.lane.open.tokenizer, prompts: wanted.prompts, n: wanted.n }
  const frame = {
    id: `${form.idPrefix}-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: model.name,
    system_fingerprint: `fp_${model.fingerprint}`,
  }
  try {
    if (form.isStream) await stream({ form, model, wanted, frame }, response, gone.signal)
    else {
      const answers = await answer(model, wanted, gone.signal)
      const choices = answers.map((each) => form.choice(each, context))
      send(response, 200, {
        ...frame,
        object: form.object,
        choices,
        usage: usageOf(wanted, answers),
      })
    }
  } catch (error) {
    // Nobody is left to be told.
    if (!gone.signal.aborted) throw error
  }
}

/** Too many now may be few later, but not these. */
function requireRoom({ prompts, n }: Wanted, most: number): void {
  const replies = prompts.length * n
  if (replies <= most) return
  const why = `asks with its prompts for ${replies} replies; ${most} may wait`
  throw new TouchstoneError('serve.request', { parameter: 'n', why })
}

interface Asked {
  readonly form: Form
  readonly model: ServedModel
  readonly wanted: Wanted
  readonly frame: object
}

/** Server-sent events: each piece as it is written, then `[DONE]`. */
async function stream(
  { form, model, wanted, frame }: Asked,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const begun = new Set<number>()
  const write = (value: object) => {
    // Errors before the first token have a status of their own.
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify({ ...frame, object: form.streamObject, ...value })}\n\n`)
    if (response.writableLength > LARGEST_UNREAD) response.destroy()
  }
  const answers = await answer(model, wanted, signal, (piece) => {
    const { index } = piece
    const beginning = begun.has(index) ? undefined : form.begin(index)
    begun.add(index)
    if (beginning !== undefined) write({ choices: [beginning] })
    write({ choices: [form.piece(piece)] })
  })
  if (form.tellsUsage) write({ choices: [], usage: usageOf(wanted, answers) })
  response.end('data: [DONE]\n\n')
}

function usageOf({ prompts }: Wanted, answers: readonly Answer[]) {
  const prompt = prompts.reduce((sum, { ids }) => sum + ids.length, 0)
  const completion = answers.reduce((sum, { reply }) => sum + reply.count, 0)
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
