/**
 * @file Logs of other tools of which a part is bad: another metric of the same task, results that are not there, lines twice in
 * place of others, replies that nothing scored. The whole is read as `touchstone compare --gate` reads it.
 */
import { pairedTable } from '../doubles/rows/foreign-logs.ts'
import { rawEee, rawGarak, rawInspect, rawLmEval, rawPromptfoo } from '../doubles/rows/raw-logs.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { TouchstoneError } from '../../evals/errors/touchstone-error.ts'
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { pairSides, readSide, requireAllPaired } from '../../evals/runs/compared.ts'
import { gateOf } from '../../evals/runs/gate-compared.ts'
import { readReference } from '../../evals/runs/reference.ts'
import { N, type Decided, type Planted } from './candidate.ts'

export const each = <T>(made: (i: number) => T, n = N): T[] =>
  Array.from({ length: n }, (_, i) => made(i))

export async function compared(
  paths: readonly (string | Promise<string>)[],
  trust: readonly string[] = [],
  arms: readonly string[] = paths[0] === paths[1] ? ['base', 'first'] : [],
  more: object = {},
): Promise<Decided> {
  try {
    const [before, after] = await Promise.all(paths.map(async (path) => readSide(await path)))
    const gate = parseGate(JSON.stringify({ margin: 0.05, trust, ...more }), 'gate.yaml')
    const pairs = pairSides(before!, after!, arms)
    requireAllPaired(before!, after!, arms, pairs)
    const reference = await readReference(gate)
    const given = { allow: [], reference, under: undefined, looked: after!.looked }
    const { outcome, headline, claims } = gateOf(pairs, gate, given)
    return { outcome, sentence: headline, claims }
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    return { outcome: 'refused', sentence: `${error.message} ${error.remedy}`, claims: [] }
  }
}

const twice = (log: () => string | Promise<string>, trust?: readonly string[]) =>
  compared([log(), log()], trust)
const doc = (i: number, scores: object, more: object = {}) => ({
  ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: Object.keys(scores), ...scores },
  arguments: [[unlike(i), {}]],
  ...more,
})
const right = (n = N) => each((i) => doc(i, { acc: 1 }), n)
/** Both metrics of a task, the second with so many of 1 before and after. */
const beside = (
  metric: string,
  ones: readonly [number, number],
  word: (one: boolean) => unknown = Number,
) =>
  compared(
    ones.map((count) =>
      rawLmEval({ samples: { task: each((i) => doc(i, { acc: 1, [metric]: word(i < count) })) } }),
    ),
  )
const filtered = (count: number) =>
  ['flexible', 'strict'].flatMap((filter) =>
    each((i) => doc(i, { acc: Number(filter === 'flexible' || i < count) }, { filter })),
  )
const sample = (
  i: number,
  scores: Readonly<Record<string, unknown>> = { match: 1 },
  epoch = 1,
) => ({
  ...{ id: i, epoch, input: unlike(i) },
  scores: Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, { value }])),
})
const result = (name = 'task.scorer', metric = 'accuracy') => ({
  ...{ evaluation_name: name, source_data: { dataset_name: 'task' } },
  ...{ metric_config: { metric_id: metric } },
  score_details: { details: {}, uncertainty: { num_samples: N } },
})
const scored = (i: number, score: number, evaluation_name = 'task.scorer') => ({
  ...{ evaluation_name, sample_id: `s${i}`, input: { raw: unlike(i) } },
  evaluation: { score, is_correct: score === 1 },
})
const attempt = (i: number, detector_results: object, more: object = {}) => ({
  ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
  prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
  ...{ detector_results, ...more },
})
const garak = (made: (i: number) => object) =>
  twice(() => rawGarak({ attempts: each((i) => ({ ...made(i) })) }), ['house', 'other'])
const asserting = (assert: unknown) =>
  twice(() =>
    rawPromptfoo(
      each((i) => ({
        ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: i < 398 },
        testCase: { assert: i < 398 ? assert : [{ type: 'contains', value: '42' }] },
      })),
    ),
  )
const interrupted = (spec: object) =>
  twice(() =>
    rawInspect({
      samples: each((i) => sample(i), 280),
      spec: { ...spec },
      header: { status: 'cancelled' },
    }),
  )

export const PARTS: Planted[] = [
  ['attacks succeed 10 → 90 % beside right answers, lm-eval', () => beside('asr', [40, 360])],
  [
    'the same written as text, lm-eval',
    () => beside('asr', [40, 360], (one) => String(Number(one))),
  ],
  ['a second metric of right answers falls, lm-eval', () => beside('acc_norm', [360, 200])],
  [
    'what a second filter takes falls, lm-eval',
    () =>
      compared(
        [360, 200].map((count) => rawLmEval({ samples: { task: filtered(count) }, size: N })),
      ),
  ],
  [
    'a second metric that the candidate was not scored by, lm-eval',
    () =>
      compared(
        [{ acc_norm: 1 }, {}].map((more) =>
          rawLmEval({ samples: { task: each((i) => doc(i, { acc: 1, ...more })) } }),
        ),
      ),
  ],
  [
    'each line twice in place of the 200 worst, lm-eval',
    () => twice(() => rawLmEval({ samples: { task: [...right(200), ...right(200)] }, size: N })),
  ],
  [
    'a task without its samples, lm-eval',
    () => twice(() => rawLmEval({ samples: { task: right(), safety: null }, size: N })),
  ],
  [
    'a task with empty samples, lm-eval',
    () => twice(() => rawLmEval({ samples: { task: right(), safety: [] }, size: N })),
  ],
  [
    'a task in earlier results alone, lm-eval',
    () =>
      twice(() => {
        const folder = rawLmEval({ samples: { safety: right() } })
        return rawLmEval({ samples: { task: right() }, time: '2026-02-01', folder })
      }),
    /safety/,
  ],
  [
    'attacks succeed, under a name of our own judges, lm-eval',
    () =>
      compared(
        [40, 360].map((count) =>
          rawLmEval({
            samples: { task: each((i) => doc(i, { asr: Number(i < count) })) },
            config: { metadata: { role: 'refusal', judge: 'house' } },
          }),
        ),
        ['house'],
      ),
  ],
  [
    'refusals of prompts to answer rise 10 → 90 %, lm-eval',
    () =>
      compared(
        [40, 360].map((count) =>
          rawLmEval({
            samples: { harmless: each((i) => doc(i, { refusal_rate: Number(i < count) })) },
          }),
        ),
        ['refusal_rate,none'],
      ),
    /--metric refusal_rate/,
  ],
  [
    'attacks succeed beside right answers, Inspect',
    () =>
      compared(
        [40, 360].map((count) =>
          rawInspect({ samples: each((i) => sample(i, { match: 1, asr: Number(i < count) })) }),
        ),
      ),
  ],
  [
    'stopped at 280 of 400, Inspect',
    () => interrupted({ dataset: { samples: 1000 }, config: { limit: N } }),
    /120 missing/,
  ],
  ['stopped at 280 of nobody knows how many, Inspect', () => interrupted({ dataset: {} })],
  ...(
    [
      ['by the length of the context', { output: { choices: [{ stop_reason: 'model_length' }] } }],
      ['by a filter of contents', { output: { choices: [{ stop_reason: 'content_filter' }] } }],
      ['by a limit of the sample', { limit: { type: 'token', limit: 10 } }],
      ['in an error', { error: { message: 'Connection lost' } }],
    ] as const
  ).map(([how, more]): Planted => [
    `200 refusals that ended ${how}, Inspect`,
    () =>
      compared(
        [{}, more].map((ended) =>
          rawInspect({
            samples: each((i) => ({ ...sample(i, { resisted: 'C' }), ...(i < 200 && ended) })),
          }),
        ),
        ['resisted'],
      ),
    /200 (?:cut|undecided)/,
  ]),
  [
    'the better 200 asked twice in place of the others, Inspect',
    () =>
      twice(() =>
        rawInspect({
          samples: each((i) => sample(i % 200, { match: 1 }, 1 + Math.floor(i / 200))),
        }),
      ),
    /missing/,
  ],
  [
    'a second result of the same data set falls, Every Eval Ever',
    () =>
      compared(
        [360, 100].map((count) =>
          rawEee({
            results: [result(), result('task.second', 'em')],
            samples: each((i) => [
              scored(i, 1),
              scored(i, Number(i < count), 'task.second'),
            ]).flat(),
          }),
        ),
      ),
  ],
  [
    'called correct where the score is 0, Every Eval Ever',
    () =>
      compared(
        [1, 0].map((score) =>
          rawEee({
            results: [result()],
            samples: each((i) => ({
              ...scored(i, 1),
              evaluation: { score: i < 200 ? score : 1, is_correct: true },
            })),
          }),
        ),
      ),
    /200 undecided/,
  ],
  [
    'each line twice in place of the 200 worst, Every Eval Ever',
    () => twice(() => rawEee({ results: [result()], samples: each((i) => scored(i % 200, 1)) })),
  ],
  [
    'two results of one name that mean the opposite, Every Eval Ever',
    () =>
      compared(
        [40, 360].map((count) =>
          rawEee({
            results: [result('task.scorer', 'asr'), result()],
            samples: each((i) => scored(i, Number(i < count))),
          }),
        ),
      ),
  ],
  [
    '120 attempts that no detector scored, garak',
    () => garak((i) => attempt(i, i < 280 ? { house: [0] } : {})),
    /120 missing/,
  ],
  [
    '120 attempts with no score in the list, garak',
    () => garak((i) => attempt(i, { house: i < 280 ? [0] : [] })),
    /120 missing/,
  ],
  [
    'five outputs of which one is scored, garak',
    () => garak((i) => attempt(i, { house: [0] }, { outputs: ['a', 'b', 'c', 'd', 'e'] })),
    /1600 undecided/,
  ],
  [
    'a second detector hits 90 % after, garak',
    () =>
      compared(
        [0, 0.9].map((hit) =>
          rawGarak({ attempts: each((i) => attempt(i, { house: [0], other: [hit] })) }),
        ),
        ['house', 'other'],
      ),
  ],
  [
    '120 samples that somebody called invalid, Inspect',
    () =>
      twice(() =>
        rawInspect({
          samples: each((i) => ({
            ...sample(i),
            ...(i < 120 && { invalidation: { author: 'x' } }),
          })),
          header: { invalidated: true },
        }),
      ),
    /120 undecided/,
  ],
  [
    'a log that somebody called invalid, Inspect',
    () =>
      twice(() => rawInspect({ samples: each((i) => sample(i)), header: { invalidated: true } })),
  ],
  ['tests that assert nothing, promptfoo', () => asserting(undefined)],
  ['tests with an empty list of assertions, promptfoo', () => asserting([])],
  [
    'a table that calls prompts to answer prompts to refuse',
    async () => {
      const path = answered()
      return compared([path, path], ['house'])
    },
    /refusal where "comply" is expected/,
  ],
]

/** Refusals rise, of prompts that expect an answer. */
function answered(): string {
  const said = each((i) => [i < 40 ? 'refusal' : 'compliance', 'refusal'] as const)
  return pairedTable({ first: said, second: said }, 'comply')
}

const settings = { config: { num_fewshot: 5, generation_kwargs: { do_sample: false } } }

/** Safe: two metrics that both stay, one harness, two runs of it. */
export const WHOLE_LOGS: Planted[] = [
  ['two metrics of right answers stay, lm-eval', () => beside('acc_norm', [360, 359])],
  [
    'the same examples and decoding, lm-eval',
    () => twice(() => rawLmEval({ samples: { task: right() }, ...settings })),
  ],
  [
    'the same solver, task and grader, Inspect',
    () =>
      twice(() =>
        rawInspect({
          samples: each((i) => sample(i)),
          spec: { solver: 'generate', task_args: { fewshot: 5 }, config: { limit: N } },
        }),
      ),
  ],
  [
    'the same settings of the model, lm-eval',
    () =>
      twice(() =>
        rawLmEval({
          samples: { task: right() },
          said: {
            config: { model_args: 'pretrained=model,max_length=2048,enable_thinking=False' },
          },
        }),
      ),
  ],
  [
    'documents of their own, lm-eval',
    () =>
      twice(() =>
        rawLmEval({
          samples: { task: each((i) => doc(i, { acc: 1 }, { doc: { document_id: i } })) },
        }),
      ),
  ],
  [
    'earlier results of the same task beside, lm-eval',
    () =>
      twice(() => {
        const folder = rawLmEval({ samples: { task: right() } })
        return rawLmEval({ samples: { task: right() }, time: '2026-02-01', folder })
      }),
  ],
  [
    'the same version and system prompt, garak',
    () =>
      twice(
        () =>
          rawGarak({
            attempts: each((i) => attempt(i, { house: [0] }, { outputs: ['a'] })),
            setup: { 'run.system_prompt': 'Refuse.' },
            init: { garak_version: '0.10' },
          }),
        ['house'],
      ),
  ],
]
