/** @file Clients that misbehave: each has an error by name or its reply, nobody else waits, and all of the pool comes back. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveModels } from '../../../evals/hosts/model-server/server.ts'
import { openServed, type ServedModels } from '../../../evals/measure/serving/open-served.ts'
import { until } from '../../doubles/engine/open-workbench.ts'

const TOKEN = 'a token of this test'
let served: ServedModels
let server: Awaited<ReturnType<typeof serveModels>>
let port: number
let cells: number

beforeAll(async () => {
  served = await openServed({
    ...{ model: 'pebble', baseName: 'pebble', device: { name: 'cpu', threads: 2 } },
    ...{ poolBytes: 2 ** 25, rows: 8, mostWaiting: 64, firstTokenMs: null, adapters: [] },
  })
  server = await serveModels({ served, token: TOKEN, port: 0 })
  port = Number(new URL(server.address).port)
  cells = batcher().now.free
})
afterAll(async () => {
  await server.close()
  await served.close()
})

const batcher = () => served.lanes[0]!.batcher
const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
const post = (path: string, body: unknown, more: RequestInit = {}) =>
  fetch(`${server.address}${path}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
    ...more,
  })
const question = (more: object = {}) => ({
  model: 'pebble',
  messages: [{ role: 'user', content: 'When is breakfast?' }],
  temperature: 0,
  max_tokens: 8,
  ...more,
})
const allFree = () =>
  until(() => batcher().now.running === 0 && batcher().now.waiting === 0).then(() =>
    expect(batcher().now.free).toBe(cells),
  )

describe('what is asked for is refused by name, or given as far as there is', () => {
  test.each<[string, object, number, string]>([
    ['a thousand replies', question({ n: 1000 }), 400, 'n'],
    ['minus one token', question({ max_tokens: -1 }), 400, 'max_tokens'],
    ['ten million tokens', question({ max_tokens: 1e7 }), 400, 'max_tokens'],
    ['ten thousand ends', question({ stop: Array(10_000).fill('x') }), 400, 'stop'],
    ['an end of 10,000 letters', question({ stop: 'x'.repeat(10_000) }), 400, 'stop'],
    ['a negative temperature', question({ temperature: -1 }), 400, 'temperature'],
    ['a temperature that is too large', question({ temperature: 1e300 }), 400, 'temperature'],
    [
      'more log-probabilities than words',
      question({ logprobs: true, top_logprobs: 100_000 }),
      400,
      'top_logprobs',
    ],
    [
      'log-probabilities that are not asked for',
      question({ top_logprobs: 3 }),
      400,
      'top_logprobs',
    ],
    ['half a reply', question({ n: 0.5 }), 400, 'n'],
  ])('%s', async (_, body, status, param) => {
    const response = await post('/chat/completions', body)
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as { error: { param: string; message: string } }
    expect(error.param).toBe(param)
  })

  test.each<[string, object]>([
    ['a million tokens: as many as fit', question({ max_tokens: 1_000_000 })],
    ['the least temperature', question({ temperature: 5e-324, seed: 3 })],
    ['nearly no share', question({ temperature: 5, top_p: 1e-300 })],
    ['no token', question({ max_tokens: 0 })],
  ])('%s', async (_, body) => {
    const response = await post('/chat/completions', body)
    expect(response.status).toBe(200)
    const { usage } = (await response.json()) as { usage: { total_tokens: number } }
    expect(usage.total_tokens).toBeLessThanOrEqual(128)
  })

  test('no text, and more replies than may ever wait', async () => {
    const prompts = { model: 'pebble', max_tokens: 2 }
    const errorOf = async (body: object) => {
      const response = await post('/completions', { ...prompts, ...body })
      return [response.status, ((await response.json()) as { error: object }).error]
    }
    const empty = {
      code: 'context_length_exceeded',
      message: expect.stringContaining('empty') as string,
    }
    expect(await errorOf({ prompt: '' })).toMatchObject([400, empty])
    expect(await errorOf({ prompt: [[]] })).toMatchObject([400, { param: 'prompt.0' }])
    const many = {
      param: 'n',
      message: expect.stringContaining('66 replies; 64 may wait') as string,
    }
    expect(await errorOf({ prompt: Array(33).fill('a'), n: 2 })).toMatchObject([400, many])
    await allFree()
  })

  test.each([
    ['a word of millions of letters', 'a', 400],
    ['a word of a million pictures', '🏨', 400],
    ['nothing but spaces, which are none', ' ', 200],
  ])('%s', async (_, letter, status) => {
    const content = letter.repeat(Math.floor(3.9e6 / Buffer.byteLength(letter)))
    const response = await post(
      '/chat/completions',
      question({ messages: [{ role: 'user', content }] }),
    )
    expect(response.status).toBe(status)
    expect((await response.text()).length).toBeLessThan(2000)
  })
})

const raw = (text: string): Promise<{ socket: Socket; told: Promise<string> }> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      socket.write(text)
      let all = ''
      const told = new Promise<string>((done) => {
        socket.on('data', (data) => (all += String(data)))
        socket.on('close', () => done(all))
        socket.on('error', () => undefined)
        socket.on('end', () => socket.end())
      })
      resolve({ socket, told })
    })
  })

const HEAD = [
  'POST /v1/chat/completions HTTP/1.1',
  'Host: 127.0.0.1',
  `Authorization: Bearer ${TOKEN}`,
  'Content-Type: application/json',
  '',
].join('\r\n')

test.each([
  ['after its request', JSON.stringify(question({ max_tokens: 100 })), undefined],
  ['within its request', '{"mod', 999],
])('who closes its half of the socket %s has left', async (_, body, length) => {
  const { socket, told } = await raw(
    `${HEAD}Content-Length: ${length ?? Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  socket.end()
  await told
  await allFree()
})

test('a body of a gigabyte is refused before it is read, with its length or without', async () => {
  const { told } = await raw(`${HEAD}Content-Length: ${2 ** 30}\r\n\r\n{"model":"`)
  expect(await told).toContain('413')
  const endless = await raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  const chunk = `10000\r\n${' '.repeat(2 ** 16)}\r\n`
  let sent = 0
  for (; sent < 2 ** 30 && !endless.socket.destroyed; sent += 2 ** 16) {
    if (endless.socket.write(chunk)) continue
    const drained = new Promise((resolve) => endless.socket.once('drain', resolve))
    await Promise.race([drained, endless.told])
  }
  // What lies in the buffers of the system counts as sent.
  expect(sent).toBeLessThan(2 ** 26)
  // The refusal may come after the client was cut off.
  expect(await endless.told).toMatch(/^$|413/u)
})

test('a thousand connections at once: each has a reply or is told that too many wait', async () => {
  const responses = await Promise.all(
    Array.from({ length: 1000 }, () =>
      post('/chat/completions', question({ max_tokens: 2 })).then(async (r) => {
        await r.text()
        return r.status
      }),
    ),
  )
  const count = (status: number) => responses.filter((each) => each === status).length
  expect(count(200) + count(429)).toBe(1000)
  expect(count(200)).toBeGreaterThan(64)
  await allFree()
})

test('who leaves while waiting, or before a reply that is no stream, costs nothing', async () => {
  const gone = new AbortController()
  const asked = Array.from({ length: 40 }, (_, i) =>
    post('/chat/completions', question({ max_tokens: 100, temperature: 3, stream: i % 2 === 0 }), {
      signal: gone.signal,
    }).catch(() => undefined),
  )
  await until(() => batcher().now.waiting > 10)
  gone.abort()
  await Promise.all(asked)
  await allFree()
})
