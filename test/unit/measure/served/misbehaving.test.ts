/** @file Servers that misbehave: every prompt has one reply, its own, or the job has an error; nothing hangs. */
import { createServer as createPlainServer, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { isError, type TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'
import { openServed } from '../../../../evals/measure/served/open.ts'
import { NO_JOURNAL } from '../../../../evals/measure/served/journal.ts'
import { question, repliesTo, servedAt } from '../../../doubles/served/asking.ts'
import { selfSigned } from '../../../doubles/served/certificate.ts'
import { serveDouble, type Model, type ServedDouble } from '../../../doubles/served/server.ts'

const open: ServedDouble[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

const serve = async (says: Model, models?: readonly string[]) => {
  const double = await serveDouble({ says, ...(models && { models }) })
  open.push(double)
  return double
}

const COUNT = 12
const own = (content: string) => `You asked: ${content}`
const RIGHT = Array.from({ length: COUNT }, (_, i) => [own(question(i).content)])
const right: Model = ({ messages }) => ({ text: own(messages.at(-1)!.content) })

/** Misbehaves at the calls that `at` names. */
const now =
  (at: (count: number) => boolean, ill: (response: ServerResponse) => void): Model =>
  (body, { response, count }) => {
    if (!at(count)) return right(body, { response, count })
    ill(response)
    return undefined
  }

const dies = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': 999 })
  response.write('{"choices":', () => response.destroy())
}

describe('ends well', () => {
  test.each<[string, Model]>([
    [
      'a slow one',
      (body, call) =>
        new Promise((done) => setTimeout(() => done(right(body, call) as never), call.count * 3)),
    ],
    ['one that dies in the middle of an answer', now((n) => n % 3 === 0, dies)],
    [
      'one that closes the line',
      now(
        (n) => n % 4 === 0,
        (r) => r.destroy(),
      ),
    ],
    [
      'one that is too busy at first',
      now(
        (n) => n <= 20,
        (r) => r.writeHead(429).end(),
      ),
    ],
    [
      'one that breaks now and then',
      now(
        (n) => n % 3 === 1,
        (r) => r.writeHead(503).end(),
      ),
    ],
    [
      'one that sends half of its JSON',
      now(
        (n) => n % 3 === 2,
        (r) => r.end('{"model":"hotel","choi'),
      ),
    ],
  ])('%s', async (_, says) => {
    const { url } = await serve(says)
    const served = servedAt([url], { retries: 12 })
    expect(await repliesTo(served, COUNT)).toEqual(RIGHT)
    served.fleet.close()
  })
})

describe('ends in an error', () => {
  test.each<[string, Model, string, string]>([
    [
      'another model',
      () => ({ text: 'x', model: 'motel' }),
      'served.unreliable',
      '"motel" answered',
    ],
    [
      'a model that changes',
      (_, { count }) => ({ text: 'x', fingerprint: count > 2 ? 'b' : 'a' }),
      'served.changed',
      'was "a" and is "b"',
    ],
    [
      'a cut at 16 tokens',
      () => ({ text: 'x', finish: 'length', completionTokens: 16 }),
      'served.unreliable',
      'at 16 tokens where 64',
    ],
    [
      'a server that stays down',
      (_, { response }) => void response.writeHead(500).end(),
      'served.failed',
      'status 500',
    ],
    [
      'a redirect',
      (_, { response }) => void response.writeHead(302, { location: '/v1/chat/completions' }).end(),
      'served.failed',
      'status 302',
    ],
    [
      'a refusal of the prompt',
      (_, { response }) => void response.writeHead(400).end('what a stranger wrote'),
      'served.failed',
      'status 400',
    ],
    [
      'something else',
      (_, { response }) => void response.end('{"answer":"what a stranger wrote"}'),
      'served.failed',
      'no completion',
    ],
    [
      'two gigabytes',
      (_, { response }) => void flood(response),
      'served.failed',
      'longer than 4 MiB',
    ],
    [
      'an answer that never ends',
      (_, { response }) => void response.writeHead(200).write(' '),
      'served.failed',
      'in time',
    ],
    ['no answer', () => undefined, 'served.failed', 'in time'],
  ])('%s', async (_, says, code, why) => {
    const { url, chats } = await serve(says)
    const served = servedAt([url], { timeoutMs: 150, retries: 1 })
    const error: unknown = await repliesTo(served, 4).catch((found: unknown) => found)
    served.fleet.close()
    expect(error).toMatchObject({ code })
    expect((error as Error).message).toContain(why)
    expect((error as Error).message).not.toContain('stranger')
    // Two attempts at each.
    expect(chats().length).toBeLessThanOrEqual(8)
  })
})

/** As much as is taken, up to two gigabytes. */
function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(2 ** 20, 0x20)
  let left = 2048
  const more = () => {
    while (left-- > 0 && !response.destroyed)
      if (!response.write(chunk)) return void response.once('drain', more)
    response.end()
  }
  more()
}

test('a reply that its server does not call ended is a cut', async () => {
  const { url } = await serve(() => ({ text: 'The pool', finish: 'content_filter' }))
  const served = servedAt([url])
  const prompts = [{ key: 'q', messages: [question(0)] }]
  const { servedSubject } = await import('../../../../evals/measure/served/subject.ts')
  const decoding = { maxNewTokens: 64, temperature: 0, seed: 0 }
  for await (const { completion } of servedSubject(served).generate(
    prompts,
    decoding,
    new AbortController().signal,
  ))
    expect(completion).toMatchObject({ stop: 'length', meanLogProb: null })
  served.fleet.close()
})

test('one that answers with the reply to the prompt before is found out at once', async () => {
  let last = 'Hello.'
  const { url } = await serve(
    (body) => {
      const text = last
      last = own(body.messages.at(-1)!.content)
      return { text }
    },
    ['hotel'],
  )
  const asking = { sendPrompts: null, keyEnv: null, replyTimeout: 5 }
  const opened = openServed(`${url}#hotel`, asking, {
    own: { arm: 'base', title: 'Base' },
    journal: NO_JOURNAL,
    signal: new AbortController().signal,
  })
  const error: unknown = await opened.catch((found: unknown) => found)
  expect(isError(error, 'served.unreliable') && error.message).toContain('the one before')
})

describe('an address that is none of a model says what is there', () => {
  const opened = async (url: string) => {
    const asking = { sendPrompts: null, keyEnv: null, replyTimeout: 5 }
    const own = { arm: 'base', title: 'Base' }
    const { signal } = new AbortController()
    const error: unknown = await openServed(url, asking, {
      own,
      journal: NO_JOURNAL,
      signal,
    }).catch((found: unknown) => found)
    expect(error).toMatchObject({ code: 'served.address' })
    return error as TouchstoneError
  }

  test('a redirect is not followed, and named by its status', async () => {
    const { url, chats } = await serve((_, { response }) => {
      response.writeHead(307, { location: 'http://127.0.0.1:9/v1' }).end()
      return undefined
    })
    const { message } = await opened(`${url}#hotel`)
    expect(message).toContain('answers no chat completion')
    expect(message).toContain('status 307')
    // With log-probabilities and without.
    expect(chats()).toHaveLength(2)
  })

  test('a redirect of the list of models is named too, where no model is', async () => {
    const redirects = createPlainServer((_, response) => {
      response.writeHead(301, { location: '/elsewhere' }).end()
    })
    await new Promise<void>((resolve) => redirects.listen(0, '127.0.0.1', resolve))
    const { port } = redirects.address() as AddressInfo
    const { message, remedy } = await opened(`http://127.0.0.1:${port}/v1`)
    redirects.close()
    expect(message).toContain('gives no list')
    expect(message).toContain('status 301')
    expect(remedy).toContain('#MODEL')
  })

  test('a certificate that nobody signed is not trusted, and nothing is sent', async () => {
    let asked = 0
    const server = createServer(selfSigned('localhost'), (_, response) => {
      asked++
      response.end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { message, remedy } = await opened(`https://localhost:${port}/v1#hotel`)
    server.close()
    expect(message).toContain('a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)')
    expect(remedy).toContain('NODE_EXTRA_CA_CERTS')
    expect(asked).toBe(0)
  })
})

describe('several addresses', () => {
  test('one that dies gives its prompts to the other, each asked to its end once', async () => {
    const failing = await serve(
      now(
        (n) => n > 2,
        (r) => r.destroy(),
      ),
    )
    const steady = await serve(right)
    const served = servedAt([failing.url, steady.url], { retries: 12 })
    expect(await repliesTo(served, 40)).toEqual(
      Array.from({ length: 40 }, (_, i) => [own(question(i).content)]),
    )
    served.fleet.close()
    expect(failing.chats().length).toBeLessThan(20)
    const asked = steady.chats().map(({ messages }) => messages.at(-1)!.content)
    expect(new Set(asked).size).toBe(asked.length)
  })

  test('both are of one model, or it is an error', async () => {
    const a = await serve(() => ({ text: 'x', fingerprint: 'a' }))
    const b = await serve(() => ({ text: 'x', fingerprint: 'b' }))
    const served = servedAt([a.url, b.url])
    await expect(repliesTo(served, COUNT)).rejects.toMatchObject({ code: 'served.changed' })
    served.fleet.close()
  })
})

test('fewer are on their way to a server that is busy with more than two', async () => {
  let [busy, refused] = [0, 0]
  const { url } = await serve(async (body, call) => {
    if (busy >= 2) {
      refused++
      call.response.writeHead(429).end()
      return undefined
    }
    busy++
    await new Promise((done) => setTimeout(done, 2))
    busy--
    return right(body, call)
  })
  const served = servedAt([url], { retries: 40 })
  expect(await repliesTo(served, 60)).toHaveLength(60)
  served.fleet.close()
  // Of 32 at once from the beginning to the end it would refuse hundreds.
  expect(refused).toBeLessThan(60)
})
