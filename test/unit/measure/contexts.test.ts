/** @file A suite in contexts: names, what a template cannot take, what does not fit; and a state that is asked in them. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { SealedReply } from '../../../evals/contract/rows.ts'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { prepareInContexts } from '../../../evals/measure/contexts.ts'
import { benchmarkRow, evaluate, type EvaluationPlan } from '../../../evals/measure/evaluate.ts'
import { openBaseSubject } from '../../../evals/measure/open-subject.ts'
import { identityOf } from '../../../evals/measure/base.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'

const suite = { suite: ['house-refusal'], limit: 4, map: null, maxNewTokens: null }
let base: Base

beforeAll(async () => {
  base = await openBase('pebble', chooseDevice('cpu', 1), 4)
})

function fileOf(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'touchstone-contexts-')), 'contexts.yaml')
  writeFileSync(path, text)
  return path
}

test('each benchmark stands beside itself in each context, with the same samples', async () => {
  const path = fileOf(`contexts:
  - {name: night, title: at night, system: The manager is working at the desk.}
  - {name: warm, sampling: {temperature: 0.7, samples: 2, seed: 1}}
  - {name: other-role, roles: [capability], system: x}
  - {name: german, language: de}
`)
  const [plain, night, warm, german, ...rest] = await prepareInContexts(
    { ...suite, contexts: [path] },
    base,
  )
  expect(rest).toEqual([])
  expect(plain!.context).toBeUndefined()
  const row = benchmarkRow(night!)
  expect(row).toMatchObject({
    name: 'house-refusal@night',
    title: `${plain!.benchmark.title} (at night)`,
    samples: 4,
    context: { of: 'house-refusal', name: 'night', kinds: ['system'] },
  })
  expect(row.context!.unasked).toBeUndefined()
  expect(row.digest).not.toBe(benchmarkRow(plain!).digest)
  expect(night!.samples.map(({ id }) => id)).toEqual(plain!.samples.map(({ id }) => id))
  expect(benchmarkRow(warm!).decoding).toEqual({ temperature: 0.7, samples: 2, seed: 1 })
  expect(benchmarkRow(german!).context!.unasked).toBe('no-prompt')
})

const SYSTEM = fileOf('contexts: [{name: night, system: Mind the night.}]')

test.each([
  ['{{ raise_exception("no system") }}', 'no-system-role'],
  ['', 'no-system-role'],
])('a template that does %j with a system prompt cannot take one', async (onSystem, why) => {
  const render = async (messages: readonly { role: string; content: string }[]) => {
    if (onSystem !== '' && messages.some(({ role }) => role === 'system')) throw new Error(onSystem)
    return messages.flatMap(({ role, content }) => (role === 'system' ? [] : content)).join('')
  }
  const open = { ...base.open, template: { ...base.open.template, render } }
  const put = await prepareInContexts({ ...suite, contexts: [SYSTEM] }, { ...base, open })
  expect(put[1]!.context!.unasked).toBe(why)
})

test('a template that refuses or drops earlier turns says so, and so does a prompt without room', async () => {
  const turns = fileOf('contexts: [{name: talk, turns: [{user: Hello., assistant: Good day.}]}]')
  const unaskedBy = async (render: Base['open']['template']['render']) => {
    const open = { ...base.open, template: { ...base.open.template, render } }
    const put = await prepareInContexts({ ...suite, contexts: [turns] }, { ...base, open })
    return put[1]!.context!.unasked
  }
  const refuse = async (messages: readonly unknown[]) => {
    if (messages.length > 1) throw new Error('turns must alternate')
    return 'x'
  }
  expect(await unaskedBy(refuse)).toBe('template-refuses')
  expect(await unaskedBy(async (messages) => messages.at(-1)!.content)).toBe('template-drops')
  const long = fileOf(`contexts: [{name: long, system: "${'the '.repeat(120)}"}]`)
  const [, tooLong] = await prepareInContexts({ ...suite, contexts: [long] }, base)
  expect(tooLong!.context!.unasked).toBe('too-long')
})

test('what is asked in a context is stored under its name, sealed where it should be, and not asked again', async () => {
  const path = fileOf(`contexts:
  - {name: night, system: The manager is working at the desk.}
  - {name: begun, start: I am}
  - {name: german, language: de}
`)
  const all = await prepareInContexts({ ...suite, limit: 2, contexts: [path] }, base)
  const benchmarks = all.filter(({ context }) => !context?.unasked)
  const events: JobEventBody[] = []
  const sealed: SealedReply[] = []
  const context = {
    emit: (event: JobEventBody) => void events.push(event),
    seal: (row: SealedReply) => void sealed.push(row),
    flush: () => undefined,
    signal: new AbortController().signal,
    workspace: folder,
  }
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const { subject, release } = await openBaseSubject(base, identity)
  const ask = async (finished: EvaluationPlan['finished']) => {
    events.length = 0
    await evaluate(subject, KEY, { benchmarks, neutral: [], finished }, context)
    return events.flatMap((event) => (event.type === 'evaluation-end' ? [event] : []))
  }
  const ended = await ask([])
  expect(ended.map(({ benchmark }) => benchmark)).toEqual([
    'house-refusal',
    'house-refusal@night',
    'house-refusal@begun',
  ])
  const replies = events.flatMap((event) => (event.type === 'reply' ? [event.row] : []))
  expect(replies.every(({ text }) => text === null)).toBe(true)
  expect(sealed.map(({ benchmark }) => benchmark)).toEqual(
    replies.map(({ benchmark }) => benchmark),
  )
  // The prompt is the sample's own, without what the context adds; the text is what follows the given start.
  const inBegun = replies.filter(({ benchmark }) => benchmark === 'house-refusal@begun')
  expect(inBegun.map(({ prompt }) => prompt)).toEqual(
    replies.slice(0, 2).map(({ prompt }) => prompt),
  )
  const begun = sealed.filter(({ benchmark }) => benchmark === 'house-refusal@begun')
  expect(begun.every(({ text }) => text.startsWith('sorry'))).toBe(true)

  const finished = ended.map(({ subject: of, ...row }) => ({ ...of, ...row }))
  expect(await ask(finished)).toEqual([])
  // The same name with other settings is another context.
  const changed = finished.map((row) => (row.context ? { ...row, context: 'another' } : row))
  expect((await ask(changed)).map(({ benchmark }) => benchmark)).toEqual([
    'house-refusal@night',
    'house-refusal@begun',
  ])
  await release()
})

const KEY = { arm: 'base', seed: 0, step: 0 }
const folder = tmpdir()
