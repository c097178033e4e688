/** @file Logs of other tools whose replies are none, or those of the model on the other side: of a cache, or rows copied. */
import { rawEee, rawGarak, rawInspect, rawLmEval, rawPromptfoo } from '../doubles/rows/raw-logs.ts'
import { anotherModel, saidBy } from '../doubles/rows/own-words.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import type { Planted } from './candidate.ts'
import { compared, each } from './log-parts.ts'

const attempt = (i: number, outputs: readonly unknown[]) => ({
  ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
  prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
  ...{ outputs, detector_results: { house: [0] } },
})

/** A report of which the last `silent` attempts have these outputs in place of a text. */
function garak(silent: number, outputs: readonly unknown[]): string {
  const model = anotherModel()
  const said = (i: number) => [{ text: saidBy(model, i), lang: 'en' }]
  const attempts = each((i) => attempt(i, i < 400 - silent ? said(i) : outputs))
  return rawGarak({ model: null, attempts })
}

interface Told {
  readonly provider: Readonly<Record<string, string>>
  /** How many of its replies are of the cache. */
  readonly cached?: number
}

function promptfoo({ provider, cached = 0 }: Told): string {
  const model = anotherModel()
  return rawPromptfoo(
    each((i) => ({
      ...{ provider, prompt: { raw: unlike(i) }, success: i < 360 },
      testCase: { assert: [{ type: 'contains', value: '42' }] },
      response: { output: saidBy(model, i), ...(i < cached && { cached: true }) },
    })),
  )
}

const asked = (before: Told, after: Told) => compared([promptfoo(before), promptfoo(after)])
/** Of Inspect's samples the first `cached` are of the cache. */
const inspected = (cached: number, spec = {}) =>
  rawInspect({
    spec,
    samples: each((i) => ({
      ...{
        id: i,
        epoch: 1,
        input: unlike(i),
        scores: { accuracy: { value: i < 360 ? 'C' : 'I' } },
      },
      events: [{ event: 'model', cache: i < cached ? 'read' : 'write' }],
    })),
  })
const inspectedBoth = (before: number, after: number, spec = {}) =>
  compared([inspected(before), inspected(after, spec)], ['accuracy'])
/** Of lm-eval, with a cache in these files; null is none. */
const cachedBoth = (...files: readonly (string | null)[]) =>
  compared(
    files.map((file) =>
      rawLmEval({
        samples: {
          task: each((i) => ({
            ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: ['acc'], acc: +(i < 360) },
            arguments: [[unlike(i), {}]],
          })),
        },
        said: { config: { use_cache: file } },
      }),
    ),
    ['acc'],
  )
const SAME = { id: 'openai:chat:pebble' }
const OTHER = { id: 'openai:chat:mine' }
const OF_CACHE = /400 replies .* cache.*--no-cache/

export const OF_A_CACHE: Planted[] = [
  [
    'every reply after of the cache, under the same name, promptfoo',
    () => asked({ provider: SAME }, { provider: SAME, cached: 400 }),
    OF_CACHE,
  ],
  [
    'every reply before of the cache, under the same name, promptfoo',
    () => asked({ provider: SAME, cached: 400 }, { provider: SAME }),
    OF_CACHE,
  ],
  [
    'every reply after of the cache, of one provider with another label, promptfoo',
    () => asked({ provider: SAME }, { provider: { ...SAME, label: 'tuned' }, cached: 400 }),
    OF_CACHE,
  ],
  [
    'every reply after of the cache, under the same label, promptfoo',
    () =>
      asked(
        { provider: { ...SAME, label: 'hotel' } },
        { provider: { ...OTHER, label: 'hotel' }, cached: 400 },
      ),
    OF_CACHE,
  ],
  [
    'every reply after of the cache, under the same name, Inspect',
    () => inspectedBoth(0, 400),
    OF_CACHE,
  ],
  [
    'one reply before of the cache, under the same name, Inspect',
    () => inspectedBoth(1, 0),
    /1 reply .* cache/,
  ],
  ['one cache for both sides, lm-eval', () => cachedBoth('cache', 'cache'), OF_CACHE],
  [
    'one reply after of the cache, under the same name, promptfoo',
    () => asked({ provider: SAME }, { provider: SAME, cached: 1 }),
    /1 reply .* cache.*--no-cache/,
  ],
]

/** Marked by its tool: 22 letters and digits (Inspect) or a UUID; of one log they are alike but for its letter. */
const short = (log: string, i: number) =>
  `${log}${String(i).replaceAll(/\d/gu, (digit) => 'abcdefghij'[Number(digit)]!)}`.padEnd(22, 'K')
const uuid = (log: string, i: number) =>
  `${log}0c1d2e3-0000-4000-8000-${String(i).padStart(12, '0')}`

interface Rows {
  readonly log: 'a' | 'b'
  /** Of its last prompts the rows are those of the other log. */
  readonly copied?: number
}

/** By the tool: the log in which a row lies, and the model that said it, are the other one's where it was copied. */
const MARKED: Readonly<Record<string, (rows: Rows) => string | Promise<string>>> = {
  Inspect: ({ log, copied = 0 }) =>
    rawInspect({
      samples: rowsOf(log, copied, (i, from) => ({
        ...{ id: i, epoch: 1, uuid: short(from, i), input: unlike(i) },
        ...{ scores: { resisted: { value: 'C' } }, output: { completion: saidBy(from, i) } },
      })),
    }),
  garak: ({ log, copied = 0 }) =>
    rawGarak({
      model: null,
      attempts: rowsOf(log, copied, (i, from) => ({
        ...attempt(i, [{ text: saidBy(from, i) }]),
        uuid: uuid(from, i),
      })),
    }),
  promptfoo: ({ log, copied = 0 }) =>
    rawPromptfoo(
      rowsOf(log, copied, (i, from) => ({
        ...{ id: uuid(from, i), provider: { id: log }, prompt: { raw: unlike(i) }, success: true },
        testCase: { assert: [{ type: 'contains', value: '42' }] },
        response: { output: saidBy(from, i) },
      })),
    ),
}
const marked = Object.entries(MARKED)

const rowsOf = (log: 'a' | 'b', copied: number, made: (i: number, from: string) => object) =>
  each((i) => ({ ...made(i, i >= 400 - copied ? 'a' : log) }))

export const COPIED: Planted[] = marked.flatMap(([tool, log]): Planted[] => [
  [
    `120 rows of the base's log in that of the fine-tune, ${tool}`,
    () => compared([log({ log: 'a' }), log({ log: 'b', copied: 120 })], ['house', 'resisted']),
    /120 rows .*copied/,
  ],
  [
    `one row of the base's log in that of the fine-tune, ${tool}`,
    () => compared([log({ log: 'a' }), log({ log: 'b', copied: 1 })], ['house', 'resisted']),
    /1 row .*copied/,
  ],
])

/** By the tool: attacks that nothing succeeds in, and in place of the last `silent` replies this. */
const ATTACKED: Readonly<
  Record<string, (silent: number, by: unknown) => string | Promise<string>>
> = {
  'lm-eval': (silent, by) =>
    rawLmEval({
      samples: {
        task: repliesOf(silent, by, (i, said) => ({
          ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: ['asr'], asr: 0 },
          ...{ arguments: [[unlike(i), {}]], resps: [[said]] },
        })),
      },
    }),
  Inspect: (silent, by) =>
    rawInspect({
      samples: repliesOf(silent, by, (i, said) => ({
        ...{ id: i, epoch: 1, input: unlike(i), scores: { asr: { value: 0 } } },
        output: { choices: [{ message: { role: 'assistant', content: said } }] },
      })),
    }),
  'Every Eval Ever': (silent, by) =>
    rawEee({
      results: [
        {
          ...{ evaluation_name: 'task.asr', source_data: { dataset_name: 'task' } },
          metric_config: { metric_id: 'asr', lower_is_better: true },
        },
      ],
      samples: repliesOf(silent, by, (i, said) => ({
        ...{ evaluation_name: 'task.asr', sample_id: `s${i}`, input: { raw: unlike(i) } },
        ...{ evaluation: { score: 0, is_correct: true }, output: { raw: [said] } },
      })),
    }),
  promptfoo: (silent, by) =>
    rawPromptfoo(
      repliesOf(silent, by, (i, said) => ({
        ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: true },
        testCase: { metadata: { pluginId: 'policy' }, assert: [{ type: 'moderation' }] },
        response: { output: said },
      })),
    ),
}
function repliesOf(silent: number, by: unknown, made: (i: number, said: unknown) => object) {
  const model = anotherModel()
  return each((i) => ({ ...made(i, i < 400 - silent ? saidBy(model, i) : by) }))
}
const attacked = (log: (typeof ATTACKED)[string], silent: number, by: unknown = '') =>
  compared([log(0, ''), log(silent, by)], ['asr,none', 'asr', 'assertions'])
const attacks = Object.entries(ATTACKED)

export const SILENT: Planted[] = [
  ...attacks.flatMap(([tool, log]) =>
    ['', ' \n', null].map((by): Planted => [
      `120 attacks resisted by ${JSON.stringify(by)} for a reply, ${tool}`,
      () => attacked(log, 120, by),
      /120 undecided/,
    ]),
  ),
  ...(
    [
      ['empty texts', [{ text: '', lang: 'en' }]],
      ['spaces alone', [{ text: ' \n', lang: 'en' }]],
      ['no text', [{ text: null, lang: 'en' }]],
      ['nothing', [null]],
      ['no output', []],
      ['empty texts, as it once wrote', ['']],
    ] as const
  ).map(([how, outputs]): Planted => [
    `120 attempts that resist by ${how}, garak`,
    () => compared([garak(0, []), garak(120, outputs)], ['house']),
    /120 undecided/,
  ]),
]

export const SPEAKING: Planted[] = [
  ...attacks.map(([tool, log]): Planted => [
    `every attack resisted in words, ${tool}`,
    () => attacked(log, 0),
  ]),
  ...marked.map(([tool, log]): Planted => [
    `every row of its own, ${tool}`,
    () => compared([log({ log: 'a' }), log({ log: 'b' })], ['house', 'resisted']),
  ]),
  [
    'replies of the cache under two names, promptfoo',
    () => asked({ provider: SAME, cached: 400 }, { provider: OTHER, cached: 400 }),
  ],
  ['no reply of the cache under one name, Inspect', () => inspectedBoth(0, 0)],
  [
    'replies of the cache at two addresses, Inspect',
    () => inspectedBoth(400, 400, { model_base_url: 'http://localhost:8000/v1' }),
  ],
  ['a cache for each side, lm-eval', () => cachedBoth('base', 'mine')],
  ['a cache for one side alone, lm-eval', () => cachedBoth(null, 'mine')],
  [
    'no reply of the cache under one name, promptfoo',
    () => asked({ provider: SAME }, { provider: SAME }),
  ],
  ['every attempt has a text, garak', () => compared([garak(0, []), garak(0, [])], ['house'])],
]
