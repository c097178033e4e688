/** @file An OpenAI-compatible server on this machine whose model is a function, and that misbehaves where a test wants it to. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ChatBody {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly max_tokens: number
  readonly temperature: number
  readonly seed?: number
  readonly logprobs?: boolean
  /** Of plain completions. */
  readonly prompt?: string
  readonly echo?: boolean
}

export interface Call {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: ChatBody | undefined
}

/** What it answers to a chat; `undefined` where it has dealt with the response itself. */
export type Model = (
  body: ChatBody,
  call: { response: ServerResponse; count: number },
) => Said | undefined | Promise<Said | undefined>

export interface Said {
  readonly text: string
  readonly model?: string
  readonly finish?: string
  readonly fingerprint?: string
  readonly promptTokens?: number
  readonly completionTokens?: number
  /** False where it counts no tokens. */
  readonly counts?: boolean
  /** Of each token of the reply, in nats. */
  readonly logProbs?: readonly number[]
}

interface Options {
  /** Listed, and no other is answered for; where absent it has no list and answers for any. */
  readonly models?: readonly string[]
  /** Whether plain text is scored by `echo`, or what is scored in its place. */
  readonly scores?: boolean | ((text: string) => string)
  readonly says: Model
}

export interface ServedDouble {
  /** Up to and with `/v1`. */
  readonly url: string
  readonly calls: Call[]
  /** Chats alone. */
  readonly chats: () => ChatBody[]
  readonly close: () => Promise<void>
}

/** A token is a word with the space before it. */
export const tokensOf = (text: string): string[] => text.match(/\s*\S+/gu) ?? []

export async function serveDouble({
  models,
  scores = false,
  says,
}: Options): Promise<ServedDouble> {
  const calls: Call[] = []
  let count = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const body = text === '' ? undefined : (JSON.parse(text) as ChatBody)
      calls.push({ path: request.url ?? '', headers: request.headers, body })
      if (request.url === '/v1/models' && models) {
        return void response.end(JSON.stringify({ data: models.map((id) => ({ id })) }))
      }
      if (request.url === '/v1/completions' && scores && body) {
        const text = typeof scores === 'function' ? scores(body.prompt!) : body.prompt
        return void response.end(JSON.stringify(echoed({ ...body, prompt: text! })))
      }
      const isUnknown = models?.includes(body?.model ?? '') === false
      if (request.url !== '/v1/chat/completions' || !body || isUnknown)
        return void response.writeHead(404).end()
      void Promise.resolve(says(body, { response, count: ++count })).then((said) => {
        if (said) response.end(JSON.stringify(completion(body, said)))
      })
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    chats: () =>
      calls.flatMap(({ path, body }) => (path.endsWith('/chat/completions') && body ? body : [])),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function completion(body: ChatBody, said: Said): object {
  const { text, model = body.model, finish = 'stop', fingerprint, counts = true, logProbs } = said
  const prompt = body.messages.map(({ content }) => content).join('\n')
  const { promptTokens = tokensOf(prompt).length, completionTokens = tokensOf(text).length } = said
  return {
    model,
    ...(fingerprint !== undefined && { system_fingerprint: fingerprint }),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text },
        finish_reason: finish,
        ...(logProbs && { logprobs: { content: logProbs.map((logprob) => ({ logprob })) } }),
      },
    ],
    ...(counts && {
      usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
    }),
  }
}

/** Long words are improbable. */
function echoed({ model, prompt = '', echo }: ChatBody): object {
  const tokens = tokensOf(prompt)
  const logprobs = {
    tokens,
    token_logprobs: tokens.map((text, i) => (i === 0 ? null : -text.length)),
  }
  const own = { index: 0, text: prompt, finish_reason: 'length' }
  return { model, choices: [echo ? { ...own, logprobs } : own] }
}
