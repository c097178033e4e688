/** @file `--judge rubric=URL#MODEL`: what is refused before anything is sent, and what an evaluation with one keeps and says. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { elsewhere, endpointOf, openEndpoint } from '../../../evals/judges/judge-endpoint.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const KEY = 'TOUCHSTONE_JUDGE_KEY'
const { signal } = new AbortController()
afterEach(() => {
  delete process.env[KEY]
})

async function serve(status = 200) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      const content = 'refused: 0\nconvincing: 2\nspecific: 3\nsecret words of the judge'
      response.statusCode = status
      response.end(JSON.stringify({ choices: [{ message: { content } }] }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { address: `http://127.0.0.1:${port}/v1`, bodies, close: () => server.close() }
}

test.each([
  ['rubric=https://judge.example:8443/v1#m@x.json', 'judge.example:8443'],
  ['rubric=http://localhost:1/v1#m', undefined],
  ['rubric=pebble', undefined],
  ['xstest', undefined],
])('%s sends to %s', (judge, host) => {
  expect(elsewhere(judge)).toBe(host)
})

describe('refused', () => {
  test.each([
    ['http://127.0.0.1:1/v1', 'no model is named'],
    ['http://#m', 'this is no address'],
    ['http://name:word@127.0.0.1/v1#m', 'holds a name, a password or a query'],
    ['http://127.0.0.1/v1?key=word#m', 'holds a name, a password or a query'],
  ])('%s', (text, why) => {
    expect(() => endpointOf(text, undefined)).toThrow(why)
    expect(() => endpointOf(text, undefined)).not.toThrow('word@')
  })

  test('another machine without a reason, and a key on an open line', async () => {
    const far = 'http://judge.example/v1#m'
    await expect(openEndpoint(far, null, signal)).rejects.toThrow('another machine’s')
    process.env[KEY] = 'the-key'
    await expect(openEndpoint(far, 'Checked with legal', signal)).rejects.toThrow('unencrypted')
  })

  test('a server that does not answer a first, harmless question', async () => {
    const { address, bodies, close } = await serve(401)
    await expect(openEndpoint(`${address}#m`, null, signal)).rejects.toThrow('status 401')
    expect(bodies).toHaveLength(1)
    close()
  })

  test('a classifier, which needs log-probabilities; a password, before a run is stored', async () => {
    const folder = freshFolder()
    const words = ['eval', '--model', 'pebble', '--out-dir', folder, '--quiet']
    const run = (judge: string) => runCommand([...words, '--judge', judge], {}, COMMANDS)
    expect((await run('rubric=http://a:word@127.0.0.1/v1#m')).stderr).toContain('no name, password')
    expect(readdirSync(folder)).toEqual([])
    expect((await run('classifier=http://127.0.0.1/v1@x.json')).stderr).toContain('log-prob')
  })
})

test('an evaluation keeps verdicts and the model’s name, and neither the key nor what the judge wrote', async () => {
  const { address, bodies, close } = await serve()
  process.env[KEY] = 'the-secret-key'
  const folder = freshFolder()
  const judge = `rubric=${address}#grader-7b`
  const words = ['--suite', 'house-refusal', '--limit', '3', '--out-dir', folder, '--judge', judge]
  const { code, stdout, stderr } = await runCommand(
    ['eval', '--model', 'pebble', '--quiet', ...words],
    {},
    COMMANDS,
  )
  close()
  expect(code, stderr).toBe(0)
  // The first, harmless question, then the replies.
  expect(bodies).toHaveLength(4)
  const store = openStore(join(folder, 'touchstone.db'))
  const [run] = store.runs()
  const events = store.events(run!.id).map((event) => JSON.stringify(event))
  const replies = store.sealed(run!.id).map(({ text }) => text)
  store.close()
  const verdicts = events.filter((line) => line.includes('"judge":"rubric"'))
  expect(verdicts).toHaveLength(3)
  expect(verdicts[0]).toContain('"outcome":"compliance","score":0.375')
  expect(events.some((line) => line.includes(`grader-7b at ${address}`))).toBe(true)
  expect(replies).toHaveLength(3)
  for (const reply of replies) {
    expect(bodies.some((body) => body.includes(JSON.stringify(reply).slice(1, -1)))).toBe(true)
    expect(events.join('\n') + stdout + stderr).not.toContain(reply)
  }
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
  for (const path of files) {
    const bytes = readFileSync(path)
    expect(bytes.includes('the-secret-key'), path).toBe(false)
    expect(bytes.includes('secret words of the judge'), path).toBe(false)
  }
})
