/** @file Answers of servers that are broken in form: each is an error by name, or the reply that was asked for and no other. */
import { gzipSync } from 'node:zlib'
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net'
import { createServer, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { openServed } from '../../../../evals/measure/served/open.ts'
import { NO_JOURNAL } from '../../../../evals/measure/served/journal.ts'
import { servedSubject } from '../../../../evals/measure/served/subject.ts'
import { question, repliesTo, servedAt } from '../../../doubles/served/asking.ts'
import { serveDouble, type ChatBody } from '../../../doubles/served/server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answering = (response: ServerResponse, body: ChatBody, count: number) => void

async function serve(answering: Answering): Promise<string> {
  const { url, close } = await serveDouble({
    says(body, { response, count }) {
      answering(response, body, count)
      return undefined
    },
  })
  closing.push(close)
  return url
}

const asked = ({ messages }: ChatBody) => messages.at(-1)!.content
const message = (content: unknown, more: object = {}) => ({
  index: 0,
  message: { role: 'assistant', content, ...more },
  finish_reason: 'stop',
})
const told = (...choices: object[]) => ({ model: 'hotel', choices })
const right = (body: ChatBody, more: object = {}) => ({ ...told(message(asked(body))), ...more })

const ask = async (url: string, count = 4) => {
  const served = servedAt([url], { timeoutMs: 10_000, retries: 2 })
  try {
    return await repliesTo(served, count)
  } catch (error) {
    return error as Error
  } finally {
    served.fleet.close()
  }
}

/** 64 MiB of spaces. */
const BOMB = gzipSync(Buffer.alloc(2 ** 26, 0x20))

describe('an error by name', () => {
  test.each<[string, Answering, string]>([
    [
      'a character that is cut in two',
      (response, body) => {
        const [before, after] = JSON.stringify(right(body)).split('What')
        response.write(`${before}`)
        response.end(Buffer.concat([Buffer.from([0xe2, 0x82]), Buffer.from(after!)]))
      },
      'no UTF-8',
    ],
    [
      'choices twice',
      (response, body) =>
        response.end(
          `{"model":"hotel","choices":${JSON.stringify([message(asked(body))])},"choices":${JSON.stringify([message('another')])}}`,
        ),
      'no completion',
    ],
    [
      'two replies where one was asked',
      (response, body) =>
        response.end(JSON.stringify(told(message('another'), message(asked(body))))),
      'no completion',
    ],
    [
      'a usage of negative numbers',
      (response, body) =>
        response.end(
          JSON.stringify(right(body, { usage: { prompt_tokens: -3, completion_tokens: -1 } })),
        ),
      'no completion',
    ],
    [
      'an error object with status 200',
      (response) => response.end('{"error":{"message":"what a stranger wrote","code":500}}'),
      'an error in place of',
    ],
    [
      'a reply beside an error',
      (response, body) => response.end(JSON.stringify(right(body, { error: { code: 1 } }))),
      'an error in place of',
    ],
    [
      'a reply that ended in an error',
      (response, body) =>
        response.end(JSON.stringify(told({ ...message(asked(body)), finish_reason: 'error' }))),
      'an error in place of',
    ],
    ['a choice of nothing', (response) => response.end(JSON.stringify(told({}))), 'no completion'],
    [
      'a probability above one',
      (response, body) =>
        response.end(
          JSON.stringify(
            told({ ...message(asked(body)), logprobs: { content: [{ logprob: 3 }] } }),
          ),
        ),
      'no completion',
    ],
    ['a million brackets', (response) => response.end(`{"choices":${'['.repeat(1e6)}`), 'too deep'],
    [
      'a gzip bomb',
      (response) => {
        response.setHeader('content-encoding', 'gzip')
        response.end(BOMB)
      },
      'compressed',
    ],
    [
      'a header of a megabyte',
      (response) =>
        response.socket!.end(`HTTP/1.1 200 OK\r\nx-long: ${'a'.repeat(2 ** 20)}\r\n\r\n{}`),
      'no HTTP',
    ],
    [
      'a redirect to another host',
      (response) => response.writeHead(308, { location: 'http://192.0.2.1/v1' }).end(),
      'status 308',
    ],
    ['nothing at all', (response) => response.end(), 'no JSON'],
  ])('%s', async (_, answering, why) => {
    const found = await ask(await serve(answering))
    expect(found).toMatchObject({ code: 'served.failed' })
    expect((found as Error).message).toContain(why)
    expect((found as Error).message).not.toContain('stranger')
  })
})

test('what it sends after an answer is not the answer to the next prompt', async () => {
  const answerOf = (text: string) => {
    const body = JSON.stringify(told(message(text)))
    return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }
  const sockets = new Set<Socket>()
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      const found = /What is \d+\?/u.exec(data.toString())?.[0]
      if (found === undefined) return
      socket.write(answerOf(found))
      setTimeout(() => socket.write(answerOf('what nobody asked')), 2)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const served = servedAt([`http://127.0.0.1:${port}/v1`], { retries: 20 })
  const found = await repliesTo(served, 40)
  served.fleet.close()
  expect(found).toEqual(Array.from({ length: 40 }, (_, i) => [question(i).content]))
})

const first = (url: string) =>
  openServed(
    `${url}#hotel`,
    { sendPrompts: null, keyEnv: null, replyTimeout: 5 },
    {
      own: { arm: 'base', title: 'Base' },
      journal: NO_JOURNAL,
      signal: new AbortController().signal,
    },
  )

test('replies that two prompts asked at once give to each other are found out at once', async () => {
  const waiting: { body: ChatBody; response: ServerResponse }[] = []
  const url = await serve((response, body) => {
    waiting.push({ body, response })
    const answerAll = () => {
      const replies = waiting.map((each) => right(each.body)).reverse()
      waiting.splice(0).forEach((each, i) => each.response.end(JSON.stringify(replies[i])))
    }
    if (waiting.length === 1) setTimeout(answerAll, 20)
  })
  await expect(first(url)).rejects.toMatchObject({
    code: 'served.unreliable',
    message: expect.stringContaining('at once with the replies to each other') as string,
  })
})

test('a fingerprint that comes and goes is another server', async () => {
  const url = await serve((response, body, count) =>
    response.end(JSON.stringify(right(body, count % 2 === 0 ? { system_fingerprint: 'fp' } : {}))),
  )
  await expect(first(url)).rejects.toMatchObject({
    code: 'served.changed',
    message: expect.stringContaining('not said') as string,
  })
})

describe('the reply that was asked for', () => {
  test.each<[string, Answering]>([
    [
      'that comes byte by byte',
      (response, body) => {
        const bytes = Buffer.from(JSON.stringify(right(body, { note: '€ 5 – café 🏨' })))
        for (const byte of bytes) response.write(Buffer.of(byte))
        response.end()
      },
    ],
    [
      'whose connection is reset after its last byte',
      (response, body) => {
        const text = JSON.stringify(right(body))
        response.setHeader('content-length', Buffer.byteLength(text))
        response.write(text, () => setTimeout(() => response.socket?.resetAndDestroy(), 5))
      },
    ],
    [
      'that comes late, after those to later prompts',
      (response, body, count) =>
        void setTimeout(() => response.end(JSON.stringify(right(body))), 120 / count),
    ],
    [
      'of a model that refuses in a field of its own',
      (response, body) =>
        response.end(JSON.stringify(told(message(null, { refusal: asked(body) })))),
    ],
  ])('%s', async (_, answering) => {
    expect(await ask(await serve(answering), 8)).toEqual(
      Array.from({ length: 8 }, (_, i) => [question(i).content]),
    )
  })
})

test('a thought without an answer is no answer', async () => {
  const url = await serve((response) =>
    response.end(JSON.stringify(told(message(null, { reasoning_content: 'It is a hotel.' })))),
  )
  const served = servedAt([url])
  const decoding = { maxNewTokens: 64, temperature: 0, seed: 0 }
  const { signal } = new AbortController()
  const prompts = [{ key: 'q', messages: [question(0)] }]
  for await (const { completion } of servedSubject(served).generate(prompts, decoding, signal))
    expect(completion).toMatchObject({ text: '', thought: { text: 'It is a hotel.' } })
  served.fleet.close()
})

test('of ten thousand names, and of names that would move the cursor, little is shown', async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `\u001B[31mmodel ${i}`)
  const list = createServer((_, response) => {
    response.end(JSON.stringify({ data: names.map((id) => ({ id })) }))
  })
  await new Promise<void>((resolve) => list.listen(0, '127.0.0.1', resolve))
  closing.push(() => list.close())
  const { port } = list.address() as AddressInfo
  const error = (await first(`http://127.0.0.1:${port}/v1`).catch(
    (found: unknown) => found,
  )) as Error
  expect(error).toMatchObject({ code: 'served.address' })
  expect(error.message.length).toBeLessThan(1000)
  expect(error.message).not.toContain('\u001B')
})
