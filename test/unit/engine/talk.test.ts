/** @file A conversation: its graph is opened while the digest of its weights is taken, and nothing is said before both are. */
import { cp, truncate, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { identityOf, openBase, openOwnSession, subjectOf } from '../../../evals/measure/base.ts'
import { openTalkers } from '../../../evals/engine/talk.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'
import { ROOT } from '../../doubles/imports.ts'

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
