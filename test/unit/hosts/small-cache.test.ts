/** @file `--cache-precision` where a model is talked with and served: one mechanism, the same replies, and said to be approximate. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { openTalkers } from '../../../evals/engine/talk.ts'
import { serveModels } from '../../../evals/hosts/model-server/server.ts'
import { openServed } from '../../../evals/measure/serving/open-served.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { writeTinyEncoder } from '../../doubles/models/tiny-encoder.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const WHAT = 'Replies and scores are approximate (--cache-precision int8)'
const QUESTIONS = ['When is breakfast?', 'Where is the pool?', 'May I bring my dog?']
const token = 'a token of this test'
let adapter = ''
beforeAll(async () => {
  const { model, open } = await loadModel(modelPath('pebble'))
  adapter = await writeAdapter(freshFolder(), model, { seed: 1, rank: 8, size: 0.3 })
  await open.close()
})

const openWith = async (cache?: 'int8') => {
  const served = await openServed({
    ...{ model: 'pebble', baseName: 'pebble', rows: 8, mostWaiting: 64, firstTokenMs: null },
    device: { name: 'cpu', threads: 2, ...(cache && { cache }) },
    poolBytes: 2 ** 24,
    adapters: [{ name: 'mine', path: adapter }],
  })
  const server = await serveModels({ served, token, port: 0 })
  closing.push(async () => (await server.close(), served.close()))
  return { served, address: server.address }
}
const closing: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

interface Reply {
  readonly choices: readonly [{ readonly message: { readonly content: string } }]
  readonly system_fingerprint: string
}
const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
async function chat(address: string, model: string, content: string): Promise<Reply> {
  const messages = [{ role: 'user', content }]
  const body = JSON.stringify({ model, messages, temperature: 0, max_tokens: 12 })
  const response = await fetch(`${address}/chat/completions`, { method: 'POST', headers, body })
  return (await response.json()) as Reply
}

test('what is served in int8 says what a conversation in int8 says, and names it', async () => {
  const [small, exact] = [await openWith('int8'), await openWith()]
  expect(small.served.cells).toBeGreaterThan(3 * exact.served.cells)
  const talkers = await openTalkers('pebble', adapter, { cachePrecision: 'int8' })
  const asked = { maxNewTokens: 12, temperature: 0, seed: 0, isWithheld: false }
  for (const content of QUESTIONS) {
    const question = { ...asked, messages: [{ role: 'user' as const, content }] }
    const spoken = [await talkers.base(question), await talkers.candidate!(question)]
    for (const [i, model] of ['pebble', 'mine'].entries()) {
      const { choices, system_fingerprint } = await chat(small.address, model, content)
      expect(choices[0].message.content).toBe(spoken[i]!.text)
      expect(spoken[i]!.approximate).toContain(WHAT)
      expect(system_fingerprint).toMatch(/-int8$/u)
    }
  }
  await talkers.close()
  const { system_fingerprint: plain } = await chat(exact.address, 'mine', QUESTIONS[0]!)
  expect(plain).not.toContain('int8')
  const models = await fetch(`${small.address}/models`, { headers })
  expect(await models.json()).toMatchObject({ data: [{ cache_precision: 'int8' }, {}] })
})

test('talk says that its replies are approximate, float32 says nothing', async () => {
  const run = (...more: string[]) =>
    runCommand(['talk', 'pebble', QUESTIONS[0]!, '--out-dir', freshFolder(), ...more], {}, VERBS)
  const small = await run('--cache-precision', 'int8')
  expect(small.code, small.stderr).toBe(0)
  expect(small.stdout).toContain(', approximate): ')
  expect(small.stderr).toContain(WHAT)
  const told = await run('--cache-precision', 'int8', '--json')
  const { base } = JSON.parse(told.stdout) as { base: { approximate: string } }
  expect(base.approximate).toContain(WHAT)
  const exact = await run()
  expect([exact.stdout, exact.stderr].join('')).not.toContain('approximate')
})

test('where there is no such cache, or a server keeps it, it is refused with what to do', async () => {
  const folder = freshFolder()
  await writeTinyEncoder(folder, {})
  for (const verb of [
    ['talk', folder, 'Hello'],
    ['serve-model', '--model', folder],
  ]) {
    const { code, stderr } = await runCommand([...verb, '--cache-precision', 'int8'], {}, VERBS)
    expect([code, stderr]).toEqual([1, expect.stringContaining('an encoder keeps none')])
    expect(stderr).toContain('Leave --cache-precision out.')
  }
  const address = 'http://127.0.0.1:9/v1#hotel'
  const served = openTalkers(address, null, { cachePrecision: 'float16' })
  await expect(served).rejects.toThrow('its server keeps keys and values as it does')
})
