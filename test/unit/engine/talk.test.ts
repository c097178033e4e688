/** @file A conversation: its graph is opened while the digest of its weights is taken, and nothing is said before both are. */
import { cp, truncate, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadBundled } from '../../../evals/benchmarks/bundled/load-bundled.ts'
import { BUNDLED } from '../../../evals/benchmarks/registry.ts'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { identityOf, openBase, openOwnSession, subjectOf } from '../../../evals/measure/base.ts'
import { modelHandlers } from '../../../evals/engine/handlers/models.ts'
import { openHome } from '../../../evals/engine/home.ts'
import { openTalkers } from '../../../evals/engine/talk.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'
import { ROOT } from '../../doubles/imports.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { serveDouble } from '../../doubles/served/server.ts'

const messages = [{ role: 'user' as const, content: 'When does the kitchen open on Sunday?' }]
const folder = await mkdtemp(join(tmpdir(), 'touchstone-talk-'))
afterAll(() => rm(folder, { recursive: true }))

test.each([0, 0.8])('at temperature %s it says what an evaluation hears', async (temperature) => {
  const decoding = { maxNewTokens: 8, temperature, seed: 3 }
  const base = await openBase('pebble', chooseDevice('auto'), 1)
  const session = await openOwnSession(base, base.device)
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const subject = subjectOf(base, identity, session)
  const { signal } = new AbortController()
  const heard = []
  for await (const { completion } of subject.generate(
    [{ key: 'talk', messages }],
    decoding,
    signal,
  ))
    heard.push(completion.text)
  await session.release()
  await base.open.close()

  const talkers = await openTalkers('pebble', null)
  const spoken = await talkers.base({ messages, ...decoding, isWithheld: false })
  await talkers.close()
  expect([spoken.text]).toEqual(heard)
})

test('weights whose digest cannot be taken say nothing', async () => {
  const model = join(folder, 'model')
  await cp(join(ROOT, 'evals/bundled/pebble'), model, { recursive: true })
  const weights = join(model, 'model.safetensors')
  const talkers = await openTalkers(model, null)
  await truncate(weights, (await stat(weights)).size - 2 ** 20)
  const asked = { messages, maxNewTokens: 1, temperature: 0, seed: 0, isWithheld: false }
  await expect(talkers.base(asked)).rejects.toMatchObject({ code: 'checkpoint.malformed' })
  await talkers.close()
})

describe('a model behind an address', () => {
  const question = { messages, maxNewTokens: 8, temperature: 0, seed: 0, isWithheld: false }
  const reply = 'At eight.'
  const serve = () => serveDouble({ models: ['hotel'], says: () => ({ text: reply }) })

  test('is base and candidate, and what should be refused is withheld', async () => {
    const { url, close } = await serve()
    const talkers = await openTalkers(`${url}#hotel`, `${url}#hotel`)
    const said = { text: reply, tokens: null, tokenCount: 2, rendered: null, stop: 'end' }
    expect(await talkers.base(question)).toMatchObject({ ...said, path: `${url}#hotel` })
    expect(await talkers.candidate!(question)).toMatchObject(said)
    const withheld = await talkers.base({ ...question, isWithheld: true })
    expect(JSON.stringify(withheld)).not.toContain(reply)
    await talkers.close()
    await close()
  })

  test('is asked by `touchstone talk`, prompt by prompt; a prompt of the suites is withheld', async () => {
    const { url, chats, close } = await serve()
    const refused = (await loadBundled(BUNDLED.find(({ role }) => role === 'refusal')!))[0]!
    const harmful = refused.messages.at(-1)!.content
    const argv = ['talk', `${url}#hotel`, 'When?', harmful, '--json', '--out-dir', freshFolder()]
    const { code, stdout, stderr } = await runCommand(argv, {}, VERBS)
    expect(code, stderr).toBe(0)
    const [first, second] = stdout.split('\n').map((line) => JSON.parse(line || '{}') as object)
    expect(first).toMatchObject({ prompt: 'When?', base: { text: reply }, candidate: null })
    expect(second).toMatchObject({ base: { text: null, isWithheld: true } })
    expect(chats().at(-1)!.messages).toEqual(refused.messages)
    await close()
  })

  test('shows the window what it can be asked', async () => {
    const { url, close } = await serve()
    const home = openHome(freshFolder())
    const { sections } = await modelHandlers(home).served({
      ...{ address: `${url}#hotel`, keyEnv: null, sendPrompts: null },
    })
    expect(sections.map(({ heading }) => heading)).toEqual([`${url}#hotel: a served model`])
    expect(JSON.stringify(sections)).toContain('chat, usage, system messages')
    home.close()
    await close()
  })

  test.each([
    ['http://192.0.2.1/v1#m', null, null, 'every prompt would be sent there'],
    ['http://127.0.0.1:9/v1#m', null, 'enable_thinking=false', 'filled in by its server'],
    ['http://127.0.0.1:9/v1#m', './adapter', null, 'would need its weights here'],
  ])('%s with %s and %s: %s', async (model, candidate, variables, why) => {
    await expect(openTalkers(model, candidate, { templateVars: variables })).rejects.toThrow(why)
  })
})
