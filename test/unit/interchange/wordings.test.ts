/** @file Readers keep digests of replies by which logs are told apart, whatever their spaces and case, and no text of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { wordingDigest } from '../../../evals/files/digest.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import { importRuns } from '../../../evals/interchange/import.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import {
  rawEee,
  rawGarak,
  rawInspect,
  rawLmEval,
  rawPromptfoo,
} from '../../doubles/rows/raw-logs.ts'

const TEXT = 'The lift is  beside\nthe stairs.'
const REPLY = { of: 'reply', digest: wordingDigest(TEXT) } as const

const keysOf = (run: ComparedRun) => [...run.wordings!().keys()].map((key) => key.split('\u0000'))
async function toldIn(path: string | Promise<string>) {
  const runs = await importRuns(await path)
  expect(JSON.stringify(runs)).not.toContain('stairs')
  return runs[0]!
}
const wordingsOf = async (path: string | Promise<string>) => [
  ...(await toldIn(path)).wordings!().values(),
]

const lmEval = (row: object) =>
  rawLmEval({
    ...{ model: null, samples: { task: [{ doc_id: 0, doc_hash: 'd', ...row }] } },
  })
const right = { metrics: ['acc'], acc: 1 }
const inspect = (row: object) =>
  rawInspect({
    ...{ model: null, samples: [{ id: 's', epoch: 2, input: 'Where?', ...row }] },
  })
const scored = { scores: { match: { value: 1 } } }
const said = (content: unknown) => ({
  output: { choices: [{ message: { role: 'assistant', content } }] },
})
const eee = (row: object) =>
  rawEee({
    model: null,
    results: [
      {
        ...{ evaluation_name: 'task.scorer', source_data: { dataset_name: 'task' } },
        metric_config: { metric_id: 'accuracy' },
      },
    ],
    samples: [
      {
        ...{ evaluation_name: 'task.scorer', sample_id: 's', input: { raw: 'Where?' } },
        evaluation: { score: 1, is_correct: true },
        ...row,
      },
    ],
  })
const garak = (row: object) =>
  rawGarak({
    model: null,
    attempts: [
      {
        ...{ entry_type: 'attempt', uuid: 'u', status: 2, probe_classname: 'task' },
        prompt: { turns: [{ role: 'user', content: { text: 'Where?' } }] },
        ...{ detector_results: { 'always.Pass': [0] }, ...row },
      },
    ],
  })
const promptfoo = (row: object) =>
  rawPromptfoo(
    [
      {
        ...{ provider: { id: 'model' }, prompt: { raw: 'Where?' }, success: true },
        ...{ testCase: { assert: [{ type: 'contains', value: 'x' }] }, ...row },
      },
    ],
    undefined,
    null,
  )
function csv(texts: Readonly<Record<string, string>>): string {
  const columns = 'benchmark,role,judge,judgeVersion,arm,seed,step,sampleId,epoch,category,expected'
  const fields = `task,capability,house,1,lora,1,40,s,0,all,answer`
  const path = join(freshFolder(), 'paired.csv')
  const head = [columns, 'before,after,promptDigest,prompt', ...Object.keys(texts)].join()
  const row = [fields, 'correct,correct,d,Where?', ...Object.values(texts)].join()
  writeFileSync(path, `${head}\n${row}\n`)
  return path
}

describe('a reply', () => {
  test.each<[string, () => string | Promise<string>]>([
    ['lm-eval', () => lmEval({ ...right, resps: [[TEXT]], filtered_resps: ['stairs'] })],
    ['lm-eval, of a filter alone', () => lmEval({ ...right, filtered_resps: [TEXT] })],
    ['Inspect', () => inspect({ ...scored, ...said(TEXT) })],
    ['Inspect, in parts', () => inspect({ ...scored, ...said([{ type: 'text', text: TEXT }]) })],
    [
      'Inspect, attached',
      () => inspect({ ...scored, ...said('attachment://a'), attachments: { a: TEXT } }),
    ],
    [
      'Inspect, as a completion',
      () => inspect({ ...scored, output: { choices: [], completion: TEXT } }),
    ],
    ['Every Eval Ever', () => eee({ output: { raw: [TEXT] } })],
    [
      'Every Eval Ever, in a conversation',
      () =>
        eee({
          messages: [
            { role: 'user', content: 'Where?' },
            { role: 'assistant', content: TEXT },
          ],
        }),
    ],
    ['garak', () => garak({ outputs: [{ text: TEXT, lang: 'en', notes: { at: 1 } }] })],
    ['garak, as it once wrote', () => garak({ outputs: [TEXT] })],
    ['promptfoo', () => promptfoo({ response: { output: TEXT, latencyMs: 12 } })],
  ])('of %s', async (_, log) => {
    expect(await wordingsOf(log())).toEqual([REPLY])
  })

  test('of a paired table is that of its side', async () => {
    const texts = { beforeText: 'No lift.', afterText: 'The lift is  beside the stairs.' }
    const runs = await importRuns(csv(texts))
    expect(runs.map((run) => [...run.wordings!().values()])).toEqual([
      [{ of: 'reply', digest: wordingDigest('no lift.') }],
      [REPLY],
    ])
    const [base] = await importRuns(csv({}))
    expect(base!.wordings!().size).toBe(0)
  })

  test('has the name of its judgement', async () => {
    const run = await toldIn(inspect({ ...scored, ...said(TEXT) }))
    expect(keysOf(run)).toEqual([['task', 's', '1']])
    const [row] = (await toldIn(garak({ outputs: [TEXT] }))).judged
    expect(keysOf(await toldIn(garak({ outputs: [TEXT] })))).toEqual([['task', row!.sampleId, '0']])
  })

  test('by two filters is one', async () => {
    const row = (filter: string) => ({
      doc_id: 0,
      doc_hash: 'd',
      filter,
      ...right,
      resps: [[TEXT]],
    })
    const samples = { task: [row('first'), row('second')] }
    expect(await wordingsOf(rawLmEval({ samples, size: 1 }))).toEqual([REPLY])
  })

  test('is the same in other spaces and capitals, and no other', () => {
    expect(wordingDigest('THE LIFT\u200b is beside the stairs. ')).toBe(REPLY.digest)
    expect(wordingDigest('The lift is beside the stair.')).not.toBe(REPLY.digest)
    expect(wordingDigest('a', 'b')).not.toBe(wordingDigest('a b'))
  })

  test('of likelihoods differs where a number does', async () => {
    const [a, again, b] = await Promise.all(
      [-2.5, -2.5, -2.75].map((last) =>
        wordingsOf(lmEval({ ...right, resps: [[[-1.25, false]], [[last, true]]] })),
      ),
    )
    expect(a).toEqual(again)
    expect(a).not.toEqual(b)
    expect(a).toMatchObject([{ of: 'reply' }])
  })
})

describe('where a log holds no reply', () => {
  test.each<[string, () => string | Promise<string>]>([
    ['lm-eval', () => lmEval({ metrics: ['acc', 'bits_per_byte'], acc: 1, bits_per_byte: 1.25 })],
    ['Inspect', () => inspect({ scores: { match: { value: 1 }, f1: { value: { a: 0.5 } } } })],
    [
      'our own Inspect, withheld',
      () => inspect({ ...scored, ...said('[withheld]'), metadata: { meanLogProb: -0.25 } }),
    ],
    ['Every Eval Ever', () => eee({ evaluation: { score: 0.5, is_correct: true } })],
    ['garak', () => garak({ detector_results: { 'always.Pass': [0.125] } })],
    ['promptfoo', () => promptfoo({ score: 0.75 })],
  ])('scores finer than right or wrong stand in: %s', async (_, log) => {
    expect(await wordingsOf(log())).toMatchObject([{ of: 'scores' }])
  })

  test.each<[string, () => string | Promise<string>]>([
    ['lm-eval', () => lmEval(right)],
    ['Inspect', () => inspect(scored)],
    ['our own Inspect, withheld', () => inspect({ ...scored, ...said('[withheld]') })],
    ['Every Eval Ever', () => eee({})],
    ['garak', () => garak({ outputs: null })],
    ['promptfoo', () => promptfoo({ response: { error: 'Timeout' } })],
  ])('right or wrong alone is nothing to tell logs apart by: %s', async (_, log) => {
    expect(await wordingsOf(log())).toEqual([])
  })
})

describe('ids of rows', () => {
  const UUID = '0b54b3a4-1f0a-4d5e-9a51-2d3f0a7a9c11'
  const SHORT = 'KQTiZkQFWF4TF3TgZTSmzx'
  const idsOf = async (log: string | Promise<string>) => [
    ...(await importRuns(await log))[0]!.rowIds!().keys(),
  ]

  test('that a tool draws at random are kept', async () => {
    expect(await idsOf(inspect({ ...scored, uuid: SHORT }))).toEqual([SHORT])
    expect(await idsOf(garak({ uuid: UUID }))).toEqual([UUID])
    expect(await idsOf(promptfoo({ id: UUID }))).toEqual([UUID])
  })

  test.each(['7', 7, 'hotel-breakfast', 'f'.repeat(64), null])(
    'that two logs may share are none: %s',
    async (id) => {
      expect(await idsOf(inspect({ ...scored, uuid: id, id: id ?? 's' }))).toEqual([])
      expect(await idsOf(garak({ uuid: id === null ? null : String(id) }))).toEqual([])
      expect(await idsOf(promptfoo({ id }))).toEqual([])
    },
  )
})
