/**
 * @file Models over HTTP in the form of OpenAI's API: replies are those of the models alone, whoever asks beside; garbage is
 * refused by name, and what a client leaves behind is given back.
 */
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTalkers, type Talkers } from '../../../evals/engine/talk.ts'
import { serveModels } from '../../../evals/hosts/model-server/server.ts'
import { openServed, type ServedModels } from '../../../evals/measure/serving/open-served.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { until } from '../../doubles/engine/open-workbench.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const TOKEN = 'a token of this test'
const CELLS_BYTES = 2 ** 25
let served: ServedModels
let server: Awaited<ReturnType<typeof serveModels>>
const paths: string[] = []

beforeAll(async () => {
  const { model, open } = await loadModel(modelPath('pebble'))
  const folder = freshFolder()
  for (const [seed, rank] of [
    [1, 8],
    [2, 4],
  ] as const)
    paths.push(
      await writeAdapter(join(folder, `adapter ${seed}`), model, { seed, rank, size: 0.3 }),
    )
  await open.close()
  served = await openServed({
    ...{ model: 'pebble', baseName: 'pebble', device: { name: 'cpu', threads: 2 } },
    ...{ poolBytes: CELLS_BYTES, rows: 8, mostWaiting: 64, firstTokenMs: null },
    adapters: paths.map((path, i) => ({ name: `adapter-${i + 1}`, path })),
  })
  server = await serveModels({ served, token: TOKEN, port: 0 })
})
afterAll(async () => {
  await server.close()
  await served.close()
})

const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
const post = (path: string, body: unknown, own: Record<string, string> = headers) =>
  fetch(`${server.address}${path}`, {
    method: 'POST',
    headers: own,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const QUESTIONS = [
  'When is breakfast?',
  'Where is the pool?',
  'May I bring my dog?',
  'Is there a gym?',
]
const MODELS = ['pebble', 'adapter-1', 'adapter-2']
const question = (content: string, model = 'pebble') => ({
  model,
  messages: [{ role: 'user', content }],
  temperature: 0,
  max_tokens: 12,
})

interface Told {
  readonly choices: readonly {
    readonly index: number
    readonly message: { readonly content: string }
    readonly text: string
    readonly finish_reason: string
    readonly token_ids: readonly number[]
    readonly logprobs: { content: unknown[]; token_logprobs: number[]; tokens: string[] }
  }[]
  readonly usage: { readonly completion_tokens: number; readonly prompt_tokens: number }
}
const ask = async (path: string, body: object): Promise<Told> => {
  const response = await post(path, body)
  expect(response.status).toBe(200)
  return (await response.json()) as Told
}
const chat = (body: object) => ask('/chat/completions', body)

async function spoken(talkers: Pick<Talkers, 'base'>, content: string, temperature = 0) {
  return talkers.base({
    messages: [{ role: 'user', content }],
    ...{ maxNewTokens: 12, temperature, seed: 7, isWithheld: false },
  })
}

describe('replies', () => {
  test('greedy replies are those of a conversation in the workbench, whatever else is in the batch', async () => {
    const asked = MODELS.flatMap((model) => QUESTIONS.map((content) => ({ model, content })))
    const told = await Promise.all(
      asked.map(({ model, content }) =>
        chat({ ...question(content, model), return_token_ids: true, logprobs: true }),
      ),
    )
    const different = new Set<string>()
    for (const [m] of MODELS.entries()) {
      const talkers = await openTalkers('pebble', paths[m - 1] ?? null)
      const speaker = { base: talkers.candidate ?? talkers.base }
      for (const [q, content] of QUESTIONS.entries()) {
        const { text, tokenCount } = await spoken(speaker, content)
        const [choice] = told[m * QUESTIONS.length + q]!.choices
        expect(choice!.message.content).toBe(text)
        expect(choice!.logprobs.content).toHaveLength(tokenCount!)
        different.add(text!)
      }
      await talkers.close()
    }
    expect(different.size).toBeGreaterThan(2 * QUESTIONS.length)
  })

  test('equal seeds draw what the workbench draws, and n draws differ', async () => {
    const talkers = await openTalkers('pebble', null)
    const { text } = await spoken(talkers, QUESTIONS[3]!, 3)
    await talkers.close()
    const told = await chat({ ...question(QUESTIONS[3]!), temperature: 3, seed: 7, n: 6 })
    expect(told.choices[0]!.message.content).toBe(text)
    expect(new Set(told.choices.map(({ message }) => message.content)).size).toBeGreaterThan(2)
    const narrow = await chat({
      ...question(QUESTIONS[3]!),
      temperature: 3,
      top_p: 1e-9,
      seed: 7,
    })
    const greedy = await chat(question(QUESTIONS[3]!))
    expect(narrow.choices).toEqual(greedy.choices)
  })

  test('a stream holds the same text and scores, and its usage', async () => {
    const body = { ...question(QUESTIONS[0]!), logprobs: true, top_logprobs: 3 }
    const whole = await chat(body)
    const response = await post('/chat/completions', {
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const lines = (await response.text()).split('\n\n').filter((line) => line !== '')
    expect(lines.pop()).toBe('data: [DONE]')
    const events = lines.map((line) => JSON.parse(line.slice('data: '.length)) as never) as {
      choices: {
        delta: { content?: string }
        finish_reason: string | null
        logprobs: { content: unknown[] } | null
      }[]
      usage?: unknown
    }[]
    const choices = events.flatMap((event) => event.choices)
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe(
      whole.choices[0]!.message.content,
    )
    expect(choices.flatMap(({ logprobs }) => logprobs?.content ?? [])).toEqual(
      whole.choices[0]!.logprobs.content,
    )
    expect(choices.at(-1)!.finish_reason).toBe(whole.choices[0]!.finish_reason)
    expect(events.at(-1)!.usage).toEqual(whole.usage)
  })

  test('a stop string ends a reply before itself, in pieces too', async () => {
    const { choices } = await chat(question(QUESTIONS[0]!))
    const text = choices[0]!.message.content
    const stop = text.slice(10, 14)
    const cut = await chat({ ...question(QUESTIONS[0]!), stop: ['never', stop] })
    expect(cut.choices[0]!.message.content).toBe(text.slice(0, text.indexOf(stop)))
    expect(cut.choices[0]!.finish_reason).toBe('stop')
    const body = { ...question(QUESTIONS[0]!), stop, stream: true }
    const streamed = await (await post('/chat/completions', body)).text()
    const pieces = [...streamed.matchAll(/"content":"(?<piece>[^"]*)"/gu)].map(
      ({ groups }) => groups!['piece'],
    )
    expect(pieces.join('')).toBe(cut.choices[0]!.message.content)
  })

  test('an echo scores the prompt as its continuation is scored, token by token', async () => {
    const shared = { model: 'adapter-1', temperature: 0, logprobs: 1 }
    const first = await ask('/completions', {
      ...shared,
      prompt: 'breakfast is at',
      max_tokens: 5,
      return_token_ids: true,
    })
    const text = `breakfast is at${first.choices[0]!.text}`
    const echo = await ask('/completions', { ...shared, prompt: text, max_tokens: 0, echo: true })
    const written = first.choices[0]!.logprobs.token_logprobs
    const scored = echo.choices[0]!.logprobs
    expect(echo.choices[0]!.text).toBe(text)
    expect(scored.tokens.join('')).toBe(text)
    expect(scored.token_logprobs[0]).toBeNull()
    scored.token_logprobs
      .slice(-written.length)
      .forEach((value, i) => expect(value).toBeCloseTo(written[i]!, 4))
    expect(echo.usage.completion_tokens).toBe(0)
  })
})

describe('what is refused', () => {
  const errorOf = async (response: Response) =>
    ((await response.json()) as { error: { code: string; param: string | null; message: string } })
      .error

  test('who has no token, or comes from a page', async () => {
    for (const own of [{}, { Authorization: 'Bearer other' }, { Authorization: TOKEN }]) {
      const response = await post('/chat/completions', question('x'), {
        ...headers,
        ...{ Authorization: '' },
        ...own,
      })
      expect([response.status, (await errorOf(response)).code]).toEqual([401, 'invalid_api_key'])
    }
    const foreign = await post('/completions', '{}', {
      ...headers,
      Origin: 'http://elsewhere.test',
    })
    expect(foreign.status).toBe(403)
    expect((await fetch(`${server.address}/models`)).status).toBe(401)
  })

  test.each([
    ['truncated JSON', '{"model":', 400, 'malformed_json', null],
    ['an unknown model', question('x', 'nobody'), 404, 'model_not_found', null],
    ['a wrong type', { ...question('x'), temperature: 'hot' }, 400, 'serve.request', 'temperature'],
    ['no messages', { model: 'pebble' }, 400, 'serve.request', 'messages'],
    ['an unknown parameter', { ...question('x'), top_a: 1 }, 400, 'serve.request', 'top_a'],
    [
      'an unsupported one',
      { ...question('x'), presence_penalty: 1 },
      400,
      'serve.request',
      'presence_penalty',
    ],
    [
      'a million stop strings',
      { ...question('x'), stop: Array(1e6).fill('a') },
      400,
      'serve.request',
      'stop',
    ],
    [
      'a prompt that is too long',
      question('word '.repeat(500)),
      400,
      'context_length_exceeded',
      null,
    ],
    ['arrays in arrays', '['.repeat(1e6), 400, 'malformed_json', null],
    ['a number in place of an object', '7', 400, 'serve.request', 'it'],
  ])('%s', async (_, body, status, code, param) => {
    const response = await post('/chat/completions', body)
    expect(response.status).toBe(status)
    expect(await errorOf(response)).toMatchObject({ code, param })
  })

  test('bodies that are huge, of another type, tokens that there are not, and other paths', async () => {
    const huge = await post(
      '/completions',
      JSON.stringify({ prompt: 'x'.repeat(5 * 2 ** 20) }),
    ).catch(() => undefined)
    // The connection may end before the client has sent it all.
    expect(huge?.status ?? 413).toBe(413)
    expect(
      (await post('/completions', 'x', { ...headers, 'Content-Type': 'text/plain' })).status,
    ).toBe(415)
    expect((await post('/completions', { model: 'pebble', prompt: [99999] })).status).toBe(400)
    expect((await post('/embeddings', {})).status).toBe(404)
    expect((await fetch(`${server.address}/completions`, { headers })).status).toBe(405)
  })

  test('after all of it, it answers as before', async () => {
    const socket = connect(Number(new URL(server.address).port), '127.0.0.1')
    socket.resume().write('POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n\0\0\0')
    await new Promise((resolve) => socket.on('close', resolve).on('error', resolve))
    const { choices } = await chat(question(QUESTIONS[1]!))
    expect(choices[0]!.message.content).not.toBe('')
  })
})

test('a client that leaves gives its cells back, and the others get their replies', async () => {
  const { batcher } = served.models.get('pebble')!.lane
  await chat(question(QUESTIONS[0]!, 'adapter-2'))
  const free = batcher.now.free
  const gone = new AbortController()
  const long = { ...question(QUESTIONS[1]!), temperature: 2, max_tokens: 110, n: 8, stream: true }
  const response = await fetch(`${server.address}/chat/completions`, {
    ...{ method: 'POST', headers, body: JSON.stringify(long), signal: gone.signal },
  })
  await response.body!.getReader().read()
  const other = chat(question(QUESTIONS[2]!))
  gone.abort()
  expect((await other).choices[0]!.message.content).not.toBe('')
  await until(() => batcher.now.running === 0)
  expect(batcher.now).toEqual({ running: 0, waiting: 0, free })
})

test('models are listed with their context and their base', async () => {
  const listed = (await (await fetch(`${server.address}/models`, { headers })).json()) as {
    data: object[]
  }
  expect(listed.data).toMatchObject([
    { id: 'pebble', max_model_len: 128, parent: null },
    { id: 'adapter-1', parent: 'pebble' },
    { id: 'adapter-2', parent: 'pebble' },
  ])
  const one = await fetch(`${server.address}/models/adapter-1`, { headers })
  expect(await one.json()).toEqual(listed.data[1])
})
