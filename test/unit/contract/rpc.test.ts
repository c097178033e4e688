/** @file Calls across a border: names, what comes in, what goes out. */
import { describe, expect, test } from 'vitest'
import { api, findCall } from '../../../evals/contract/api.ts'
import {
  createClient,
  EngineError,
  serve,
  valueOf,
  type Answer,
} from '../../../evals/contract/rpc.ts'

const toError = (error: unknown) => ({
  code: 'internal',
  message: (error as Error).message,
  remedy: 'None.',
})
const refusal = async (answer: Promise<Answer>) => {
  const given = await answer
  return given.ok ? undefined : given.error.code
}

describe('a client', () => {
  test('asks by room and method, with nothing where nothing is asked', async () => {
    const asked: [string, unknown][] = []
    const client = createClient({
      call: async (name, input) => {
        asked.push([name, input])
        return []
      },
    })
    await client.run.list()
    await client.job.stop({ runId: 'a' })
    expect(asked).toEqual([
      ['run.list', {}],
      ['job.stop', { runId: 'a' }],
    ])
  })

  test('throws what the engine said, with its remedy', () => {
    const error = { code: 'run.not-found', message: 'There is none.', remedy: 'Look.' }
    expect(() => valueOf({ ok: false, error })).toThrow(EngineError)
    expect(valueOf({ ok: true, value: 3 })).toBe(3)
  })
})

describe('a server', () => {
  const answer = serve({ job: { stop: () => null } }, toError)

  test('answers a call of the contract', async () => {
    expect(await answer({ name: 'job.stop', input: { runId: 'a' } })).toEqual({
      ok: true,
      value: null,
    })
  })

  test.each([
    ['no call', 7],
    ['no name', { input: {} }],
    ['a name that is none', { name: 'job.explode', input: {} }],
    ['what every object has', { name: 'job.constructor', input: {} }],
    ['a prototype', { name: '__proto__.toString', input: {} }],
    ['a name with another part', { name: 'job.stop.call', input: { runId: 'a' } }],
    ['a call that this process does not answer', { name: 'run.list', input: {} }],
    ['an input of another shape', { name: 'job.stop', input: { runId: 7 } }],
    ['an input that is too long', { name: 'job.stop', input: { runId: 'x'.repeat(300) } }],
  ])('refuses %s', async (_, message) => {
    expect(await refusal(answer(message))).toBe('usage.message')
  })

  test('sends nothing that the contract does not name', async () => {
    const leaking = serve(
      { doctor: { check: () => ({ ...CHECKED, secret: 'not named' }) as never } },
      toError,
    )
    expect(await leaking({ name: 'doctor.check', input: {} })).toEqual({ ok: true, value: CHECKED })
  })

  test('an answer of another shape is our bug, and told as one', async () => {
    const wrong = serve({ doctor: { check: () => ({ version: 1 }) as never } }, toError)
    expect(await refusal(wrong({ name: 'doctor.check', input: {} }))).toBe('internal')
  })
})

const CHECKED = { version: '1', platform: 'here', isUsable: true, checks: [] }

test('every call is found by its name and no other', () => {
  for (const [room, calls] of Object.entries(api)) {
    for (const method of Object.keys(calls)) expect(findCall(`${room}.${method}`)).toBeDefined()
  }
  for (const name of ['', '.', 'job', 'job.', '.stop', 'Job.stop']) {
    expect(findCall(name), name).toBeUndefined()
  }
})
