/**
 * @file A grading model at an OpenAI-compatible address that the user names: `POST URL/chat/completions`. Proxies and redirects are
 * not followed, so replies go to that address only. Responses are untrusted: read up to a limit, and never quoted in the
 * reason of a failure.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import type { Message } from '../contract/rows.ts'
import type { Grader, NoAnswer } from './model-judge.ts'

export interface Endpoint {
  /** Up to and with `/v1`. */
  readonly url: URL
  readonly model: string
  /** Sent as a bearer token; never stored or printed. */
  readonly key?: string | undefined
}

export interface Patience {
  /** Time limit of one request. */
  readonly timeoutMs: number
  /** Waiting times before each retry; no retry if empty. */
  readonly pausesMs: readonly number[]
  /** After so many consecutive failures no further request is sent. */
  readonly failures: number
}

const PATIENCE: Patience = { timeoutMs: 120_000, pausesMs: [500, 3000], failures: 8 }
const LONGEST_ANSWER = 2 ** 20
/** Concurrent requests. */
const AT_ONCE = 4
/** Characters per token of English, because the server's tokenizer is not known. */
const LETTERS_PER_TOKEN = 4

/** Whether the address is this machine. `localhost` counts: it is always connected to 127.0.0.1. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)

interface EndpointGrader extends Grader {
  /** Asks one harmless question; returns why it failed, or undefined. */
  tryOut(signal: AbortSignal): Promise<string | undefined>
  close(): void
}

export function endpointGrader(endpoint: Endpoint, patience: Patience = PATIENCE): EndpointGrader {
  const isSecure = endpoint.url.protocol === 'https:'
  const options = { keepAlive: true, maxSockets: AT_ONCE }
  // Own agents, because the environment can make the global ones use a proxy.
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options)
  let failed = 0
  const ask = async (messages: readonly Message[], maxTokens: number, signal: AbortSignal) => {
    if (failed >= patience.failures) return GIVEN_UP
    const answer = await askPatiently({ endpoint, agent, patience }, messages, maxTokens, signal)
    failed = typeof answer === 'string' ? 0 : failed + 1
    return answer
  }
  return {
    async complete(items, maxNewTokens, signal) {
      const answers = new Array<string | NoAnswer>(items.length)
      let next = 0
      const worker = async () => {
        for (let i = next++; i < items.length; i = next++)
          answers[i] = await ask(messagesOf(items[i]!.before), maxNewTokens, signal)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      return answers
    },
    clip: (text, tokens) => [...text].slice(0, tokens * LETTERS_PER_TOKEN).join(''),
    fits: async () => true,
    async tryOut(signal) {
      const question: Message = { role: 'user', content: 'Answer with the word yes.' }
      const once = { ...patience, pausesMs: [] }
      const answer = await askPatiently({ endpoint, agent, patience: once }, [question], 4, signal)
      return typeof answer === 'string' ? undefined : answer.failed
    },
    close: () => agent.destroy(),
  }
}

const GIVEN_UP: NoAnswer = {
  failed: 'The judge’s address failed many times in a row and was not asked any more.',
}

const messagesOf = (before: string | readonly Message[]): readonly Message[] =>
  typeof before === 'string' ? [{ role: 'user', content: before }] : before

interface Line {
  readonly endpoint: Endpoint
  readonly agent: HttpAgent | HttpsAgent
  readonly patience: Patience
}

/** Failures worth a retry: no connection, time-out, too many requests, a server error. */
class Passing extends Error {}

async function askPatiently(
  line: Line,
  messages: readonly Message[],
  maxTokens: number,
  signal: AbortSignal,
): Promise<string | NoAnswer> {
  for (let tried = 0; ; tried++) {
    signal.throwIfAborted()
    try {
      return await askOnce(line, messages, maxTokens, signal)
    } catch (error) {
      signal.throwIfAborted()
      const wait = line.patience.pausesMs[tried]
      const failed = (error as Error).message
      if (!(error instanceof Passing) || wait === undefined) return { failed }
      await pause(wait, undefined, { signal })
    }
  }
}

async function askOnce(
  { endpoint: { url, model, key }, agent, patience }: Line,
  messages: readonly Message[],
  maxTokens: number,
  outer: AbortSignal,
): Promise<string> {
  const body = { model, messages, max_tokens: maxTokens, temperature: 0, seed: 0, stream: false }
  const bytes = Buffer.from(JSON.stringify(body))
  const headers = {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    accept: 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  }
  const deadline = AbortSignal.timeout(patience.timeoutMs)
  const signal = AbortSignal.any([outer, deadline])
  try {
    const response = await send(addressOf(url), { agent, headers, signal }, bytes)
    return answerOf(await readAnswer(response))
  } catch (error) {
    if (deadline.aborted) throw new Passing('The judge’s address did not answer in time.')
    throw error
  }
}

function addressOf(url: URL): URL {
  const address = new URL(`${url.pathname.replace(/\/+$/, '')}/chat/completions`, url)
  if (address.hostname === 'localhost') address.hostname = '127.0.0.1'
  return address
}

function send(
  address: URL,
  options: {
    agent: HttpAgent | HttpsAgent
    headers: Record<string, string>
    signal: AbortSignal
  },
  body: Buffer,
): Promise<IncomingMessage> {
  const request = address.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(address, { method: 'POST', ...options }, resolve)
    sent.on('error', () => reject(new Passing('The judge’s address could not be reached.')))
    sent.end(body)
  })
}

const BUSY: ReadonlySet<number> = new Set([408, 409, 425, 429])

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const status = response.statusCode ?? 0
  if (status !== 200) {
    response.destroy()
    const why = `The judge’s address answered with status ${status}.`
    throw status >= 500 || BUSY.has(status) ? new Passing(why) : new Error(why)
  }
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > LONGEST_ANSWER) break
    }
  } catch {
    throw new Passing('The judge’s address broke off in the middle of an answer.')
  }
  if (length > LONGEST_ANSWER) throw new Error('The judge’s answer is longer than 1 MiB.')
  return Buffer.concat(chunks)
}

interface ChatCompletion {
  readonly choices?: readonly { readonly message?: { readonly content?: unknown } | null }[]
}

function answerOf(bytes: Buffer): string {
  let text: unknown
  try {
    const { choices } = JSON.parse(bytes.toString('utf8')) as ChatCompletion
    text = choices?.[0]?.message?.content
  } catch {
    text = undefined
  }
  if (typeof text === 'string') return text
  throw new Error('The judge’s address answered with something other than a chat completion.')
}
