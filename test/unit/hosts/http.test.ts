/** @file The HTTP host's doors: who is let in, who is not, and what is refused before anybody reads it. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FeedMessage } from '../../../evals/contract/feed.ts'
import { cursorOf } from '../../../evals/contract/feed.ts'
import { openEngine, type Engine } from '../../../evals/engine/engine.ts'
import { serveHttp, type HttpHost } from '../../../evals/hosts/http.ts'
import { readStatic } from '../../../evals/hosts/static-files.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { openLink, post, type HttpWindow } from '../../doubles/engine/http-window.ts'
import { until } from '../../doubles/engine/open-workbench.ts'
import { storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'

let engine: Engine
let host: HttpHost
let base: string
let window: HttpWindow

beforeAll(async () => {
  const built = join(freshFolder(), 'dist')
  mkdirSync(join(built, 'assets'), { recursive: true })
  writeFileSync(join(built, 'index.html'), '<!doctype html><title>Window</title>')
  writeFileSync(join(built, 'assets', 'main.js'), 'export {}')
  writeFileSync(join(built, '..', 'secret.html'), 'outside')
  symlinkSync(join(built, '..', 'secret.html'), join(built, 'linked.html'))
  engine = openEngine(storeAudit())
  host = await serveHttp({ engine, files: readStatic(built), port: 0 })
  base = new URL(host.link()).origin
  window = await openLink(host.link())
})
afterAll(async () => {
  await host.close()
  await engine.close()
})

interface Raw {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** As a page cannot: any Host, any path, nothing tidied up. */
function raw({ method = 'GET', path = '/', headers = {}, body }: Raw): Promise<{
  status: number
  headers: Record<string, unknown>
  text: string
}> {
  const { port } = new URL(base)
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, text }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const call = (headers: Record<string, string>, body = '{"name":"catalog.get","input":{}}') =>
  raw({
    method: 'POST',
    path: '/call',
    headers: { 'Content-Type': 'application/json', cookie: window.cookie, ...headers },
    body,
  })

describe('the link', () => {
  test('opens one session, and only with its token', async () => {
    const token = new URL(host.link()).hash.slice('#token='.length)
    expect((await post(`${base}/session`, { token: 'x'.repeat(43) })).status).toBe(401)
    expect((await post(`${base}/session`, { token: '' })).status).toBe(401)
    expect((await post(`${base}/session`, { token: 7 })).status).toBe(400)
    const opened = await post(`${base}/session`, { token })
    expect(opened.status).toBe(204)
    expect(opened.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
    expect((await post(`${base}/session`, { token })).status).toBe(401)
    expect(host.link()).not.toContain(token)
  })

  test('without its session nothing is answered', async () => {
    for (const cookie of ['', 'touchstone=1', `${window.cookie}x`, window.cookie.split('=')[0]!]) {
      expect((await call({ cookie })).status, cookie).toBe(401)
    }
    expect((await raw({ path: '/events' })).status).toBe(401)
    expect((await raw({ path: `/report/${STORED_RUN}` })).status).toBe(401)
    expect((await call({})).status).toBe(200)
  })
})

describe('who asks', () => {
  test.each([
    ['a name that was rebound to this address', { Host: 'evil.example' }],
    ['such a name with our port', { Host: 'evil.example:8127' }],
    ['a name that ends in ours', { Host: 'localhost.evil.example' }],
    ['a name that begins with our address', { Host: '127.0.0.1.evil.example' }],
    ['another site', { Origin: 'http://evil.example' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { Origin: 'null' }],
    ['what the browser says is another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['what the browser says is a neighbour', { 'Sec-Fetch-Site': 'same-site' }],
  ])('%s is refused, session or not', async (_, headers) => {
    expect((await call(headers)).status).toBe(403)
    expect((await raw({ headers })).status).toBe(403)
  })

  test('our own page is let in, also through a tunnel', async () => {
    expect((await call({ Origin: base, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200)
    const tunnel = { Host: 'localhost:9000', Origin: 'http://localhost:9000' }
    expect((await call(tunnel)).status).toBe(200)
  })

  test('nobody from another machine reaches it', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    const addresses = ['127.0.0.2', ...outside.map(({ address }) => address)]
    for (const address of addresses) expect(await connects(address), address).toBe(false)
    expect(await connects('127.0.0.1')).toBe(true)
  })
})

function connects(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(new URL(base).port) })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

describe('downloads', () => {
  const sent = (path: string, headers = { cookie: window.cookie }) =>
    raw({ path: `/download/${encodeURIComponent(path)}`, headers })

  test('are the files that a call told it wrote, with a session', async () => {
    const body = JSON.stringify({
      name: 'run.export',
      input: { runId: STORED_RUN, what: 'results' },
    })
    const { text } = await call({}, body)
    const [file] = (JSON.parse(text) as { value: { files: { path: string }[] } }).value.files
    const got = await sent(file!.path)
    expect(got.status).toBe(200)
    expect(got.headers['content-disposition']).toBe("attachment; filename*=UTF-8''results.json")
    expect(JSON.parse(got.text)).toMatchObject({ run: { id: STORED_RUN } })
    expect((await sent(file!.path, { cookie: '' })).status).toBe(401)
    for (const path of [join(file!.path, '..', '..', '..', 'touchstone.db'), '/etc/hosts', ''])
      expect((await sent(path)).status, path).toBe(404)
  })
})

describe('files', () => {
  test('are those that were built, with a policy that lets nothing else in', async () => {
    const page = await raw({})
    expect(page.text).toContain('<title>Window</title>')
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'self';.*frame-ancestors 'none'$/,
    )
    const policy = String(page.headers['content-security-policy']).split('; ')
    const others = policy.filter((each) => each !== "img-src 'self' blob:")
    expect(others.join('; ')).not.toMatch(/unsafe|\*|data:|blob:|img-src/u)
    expect(page.headers['x-content-type-options']).toBe('nosniff')
    expect((await raw({ path: '/assets/main.js' })).headers['content-type']).toMatch(
      /^text\/javascript/,
    )
  })

  test.each([
    '/../secret.html',
    '/%2e%2e/secret.html',
    '/assets/../../secret.html',
    '/assets/..%2f..%2fsecret.html',
    '/..\\secret.html',
    '//etc/passwd',
    '/linked.html',
    '/index.html%00.js',
    '/report/../../../../etc/passwd',
    '/INDEX.HTML',
  ])('%s is not one', async (path) => {
    const found = await raw({ path, headers: { cookie: window.cookie } })
    expect(found.status).toBe(404)
    expect(found.text).not.toMatch(/outside|root:/)
  })

  test('a report is shown without scripts', async () => {
    const report = await raw({ path: `/report/${STORED_RUN}`, headers: { cookie: window.cookie } })
    expect(report.status).toBe(200)
    expect(report.headers['content-security-policy']).toMatch(/^default-src 'none';.*sandbox$/)
    expect(report.text).not.toContain('zzplanted')
  })
})

describe('messages', () => {
  test('that are too large are refused, said or not', async () => {
    const large = JSON.stringify({ name: 'run.list', input: { text: 'x'.repeat(2 ** 20) } })
    expect((await call({}, large)).status).toBe(413)
    const unsaid = { 'Transfer-Encoding': 'chunked' }
    expect((await call(unsaid, large)).status).toBe(413)
  })

  test('that are no JSON, no UTF-8 or of another type are refused', async () => {
    expect((await call({}, '{"name":')).status).toBe(400)
    expect((await call({}, '')).status).toBe(400)
    expect((await call({ 'Content-Type': 'text/plain' })).status).toBe(415)
    expect((await call({ 'Content-Type': 'application/x-www-form-urlencoded' })).status).toBe(415)
  })

  test('that are JSON and no call are answered as wrong', async () => {
    for (const body of [
      'null',
      '[]',
      '7',
      '{}',
      '{"name":"x.y"}',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ]) {
      const { status, text } = await call({}, body)
      expect(status).toBe(200)
      expect(JSON.parse(text)).toMatchObject({ ok: false, error: { code: 'usage.message' } })
    }
  })

  test('other ways of asking are refused', async () => {
    const headers = { cookie: window.cookie }
    expect((await raw({ method: 'PUT', path: '/call', headers })).status).toBe(405)
    expect((await raw({ method: 'OPTIONS', path: '/call', headers })).status).toBe(405)
    expect((await raw({ method: 'POST', path: '/', headers })).status).toBe(404)
    expect((await raw({ path: '/anything', headers })).status).toBe(404)
  })
})

test('the feed goes on by its number where it was cut off', async () => {
  const first: FeedMessage[] = []
  const stop = window.listen((message) => first.push(message))
  await until(() => first.length === 1)
  stop()
  const again: FeedMessage[] = []
  const end = window.listen((message) => again.push(message), cursorOf(first[0]!))
  await until(() => again.length === 1)
  expect(again[0]!.body).toEqual({ type: 'hello', isWhole: true })
  end()
})
