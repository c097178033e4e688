/** @file Logs whose rates are not those of the samples beside them: samples left out, put in or changed after they were scored. */
import { eeeLog, inspectLog, lmEvalLog, scores } from '../doubles/rows/foreign-logs.ts'
import { rawEee, rawGarak, rawInspect, rawLmEval, rawPromptfoo } from '../doubles/rows/raw-logs.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { foreign, N, type Planted } from './candidate.ts'
import { compared, each } from './log-parts.ts'

/** Results of 90 % before and `after`; samples of 90 % on both sides. */
const denied = (
  make: (log: {
    metric: string
    scores: readonly unknown[]
    rate?: number
  }) => string | Promise<string>,
  metric: string,
  after: number,
) => foreign([{}, { rate: after }].map((said) => make({ metric, scores: scores(N, 360), ...said })))

const doc = (i: number, more: object) => ({
  ...{ doc_id: i, doc_hash: `doc-${i}`, arguments: [[unlike(i), {}]] },
  ...more,
})
const rateIn = (results: object, more: object = {}) => ({ results: { task: results }, ...more })
/** As versions up to 0.4.2 wrote two filters: every document by the first, then every document by the second. */
const withoutFilter = (ones: readonly number[], rates = ones) =>
  compared(
    [[360, 360], ones].map(([strict = 0, flexible = 0], side) => {
      const said = side === 0 ? [strict, flexible] : rates
      return rawLmEval({
        samples: {
          task: [strict, flexible].flatMap((count) =>
            each((i) => ({
              ...{ doc_id: i, arguments: [[unlike(i), {}]], target: '42' },
              exact_match: Number(i < count),
            })),
          ),
        },
        size: N,
        said: rateIn({
          'exact_match,strict': said[0]! / N,
          'exact_match,flexible': said[1]! / N,
        }),
      })
    }),
  )
const garak = (passed: number) =>
  compared(
    [N, passed].map((count) =>
      rawGarak({
        attempts: [
          ...each((i) => ({
            ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
            prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
            detector_results: { house: [0] },
          })),
          { entry_type: 'eval', probe: 'task', detector: 'house', passed: count, total: N },
        ],
      }),
    ),
    ['house'],
  )
const promptfoo = (successes: number) =>
  compared(
    [360, successes].map((count) =>
      rawPromptfoo(
        each((i) => ({
          ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: i < 360 },
          testCase: { assert: [{ type: 'contains', value: '42' }] },
        })),
        { successes: count, failures: N - count, errors: 0 },
      ),
    ),
  )
/** The best score on so many, and 360 called correct. */
const onScale = (count: number, [least, most]: readonly [number, number]) =>
  rawEee({
    results: [
      {
        ...{ evaluation_name: 'task.scorer', source_data: { dataset_name: 'task' } },
        metric_config: { metric_id: 'accuracy', min_score: least, max_score: most },
        score_details: { score: least + ((most - least) * count) / N, details: {} },
      },
    ],
    samples: each((i) => ({
      ...{ evaluation_name: 'task.scorer', sample_id: `s${i}`, input: { raw: unlike(i) } },
      evaluation: { score: i < count ? most : least, is_correct: i < 360 },
    })),
  })
/** All tests passed, and so many by their grading. */
const graded = (count: number) =>
  compared(
    [N, count].map((own) =>
      rawPromptfoo(
        each((i) => ({
          ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: true },
          ...{ gradingResult: { pass: i < own }, testCase: { assert: [{ type: 'is-json' }] } },
        })),
      ),
    ),
  )
const ofRate = (rate: unknown, scoreOf: (i: number) => number) =>
  rawLmEval({
    samples: { task: each((i) => doc(i, { metrics: ['acc'], acc: scoreOf(i) })) },
    said: rateIn({ 'acc,none': rate }),
  })
const letters = (accuracy: number, reducer?: string) =>
  compared(
    [0.9, accuracy].map((value) =>
      rawInspect({
        samples: each((i) => ({
          ...{ id: i, epoch: 1, input: unlike(i) },
          scores: { match: { value: i < 360 ? 'C' : 'I' } },
        })),
        header: {
          results: {
            scores: [{ name: 'match', scorer: 'match', reducer, metrics: { accuracy: { value } } }],
          },
        },
      }),
    ),
  )

const said = (i: number) => (i < 360 ? 'correct' : 'incorrect')
const OWN = {
  ...{ arm: 'lora', seed: 0, step: 0, title: 'lora', role: 'capability', judge: 'match' },
  ...{ benchmarkDigest: 'digest', templateDigest: 'template', tokenizerDigest: 'tokenizer' },
}
/** Logs as our own export writes them, right by their scores on so many of 400, and on 360 by their outcomes. */
const OWN_LOGS = {
  'lm-eval': (count: number) =>
    rawLmEval({
      samples: {
        task: each((i) =>
          doc(i, { metrics: ['accuracy'], accuracy: Number(i < count), outcome: said(i) }),
        ),
      },
      config: { metadata: { role: 'capability', judge: 'match', judge_version: '1' } },
      said: rateIn({ 'accuracy,none': count / N }),
    }),
  Inspect: (count: number) =>
    rawInspect({
      samples: each((i) => ({
        ...{ id: i, epoch: 1, input: unlike(i) },
        scores: { match: { value: Number(i < count), metadata: { outcome: said(i) } } },
      })),
      spec: { metadata: { touchstone: OWN } },
    }),
  'Every Eval Ever': (count: number) =>
    rawEee({
      results: [
        {
          ...{ evaluation_name: 'task.match', source_data: { dataset_name: 'task' } },
          metric_config: { metric_id: 'accuracy' },
          score_details: { score: count / N, details: {} },
        },
      ],
      samples: each((i) => ({
        ...{ evaluation_name: 'task.match', sample_id: `s${i}`, input: { raw: unlike(i) } },
        answer_attribution: [{ extracted_value: said(i) }],
        evaluation: { score: Number(i < count), is_correct: i < count },
      })),
      said: { evaluation_id: 'touchstone/task' },
    }),
}
const ownLogs = Object.entries(OWN_LOGS)

export const DENIED: Planted[] = [
  [
    'results of 10 % beside samples of 90 %, lm-eval',
    () => denied(lmEvalLog, 'acc', 0.1),
    /10\.0 %.*90\.0 %/,
  ],
  ['of exact matches, lm-eval', () => denied(lmEvalLog, 'exact_match', 0.1), /90\.0 %/],
  ['of a normalised accuracy, lm-eval', () => denied(lmEvalLog, 'acc_norm', 0.84), /84\.0 %/],
  [
    'the worst 40 samples without a score, lm-eval',
    () =>
      compared(
        [0.9, 0.75].map((rate) =>
          rawLmEval({
            samples: {
              task: each((i) => doc(i, { metrics: ['acc'], acc: i < 360 ? 1 : null })),
            },
            said: rateIn({ 'acc,none': rate }),
          }),
        ),
      ),
    /75\.0 %/,
  ],
  [
    'results of 10 % beside samples of 90 %, Inspect',
    () => denied(inspectLog, 'match', 0.1),
    /90\.0 %/,
  ],
  ['the same with letters, Inspect', () => letters(0.5), /50\.0 %/],
  [
    'results of 10 % beside samples of 90 %, Every Eval Ever',
    () => denied(eeeLog, 'accuracy', 0.1),
    /90\.0 %/,
  ],
  ['a summary that counts 200 hits more, garak', () => garak(200), /50\.0 %/],
  ['statistics that count 160 failures more, promptfoo', () => promptfoo(200), /50\.0 %/],
  ...ownLogs.map(([tool, log]): Planted => [
    `outcomes of our own export that the scores deny, ${tool}`,
    () => compared([log(360), log(100)]),
    /beside a score of 0/,
  ]),
  [
    'results of 10 % as text, lm-eval',
    () => compared([0.9, 0.1].map((rate) => ofRate(String(rate), (i) => Number(i < 360)))),
    /10\.0 %.*90\.0 %/,
  ],
  [
    'one sample graded 2 among those of 1 and 0, lm-eval',
    () =>
      compared([0.905, 0.1].map((rate) => ofRate(rate, (i) => (i === 399 ? 2 : Number(i < 360))))),
    /10\.0 %/,
  ],
  ['one reply each, called the best of several, Inspect', () => letters(0.5, 'max'), /50\.0 %/],
  ...(
    [
      [0, 100],
      [1, 5],
    ] as const
  ).map(([least, most]): Planted => [
    `scores of ${least} called correct on a scale to ${most}, Every Eval Ever`,
    () => compared([360, 40].map((count) => onScale(count, [least, most]))),
    /320 undecided/,
  ]),
  ['tests that passed and whose grading did not, promptfoo', () => graded(200), /200 undecided/],
  ['a second filter falls, without the filters’ names, lm-eval', () => withoutFilter([360, 200])],
  [
    'filters in another order than the results say, lm-eval',
    () => withoutFilter([200, 360], [360, 200]),
    /90\.0 %/,
  ],
]

export const TRUE_RATES: Planted[] = [
  ['two filters without their names, lm-eval 0.4.2', () => withoutFilter([360, 359])],
  [
    'a rate in per cent, lm-eval',
    () =>
      foreign(
        [360, 360].map((ones) => lmEvalLog({ metric: 'acc', scores: scores(N, ones), rate: 90 })),
      ),
  ],
  ...ownLogs.map(([tool, log]): Planted => [
    `outcomes of our own export, ${tool}`,
    () => compared([log(360), log(360)]),
  ]),
  ['a true summary, garak', () => garak(N)],
  ['true statistics, promptfoo', () => promptfoo(360)],
  ['tests with their grading, promptfoo', () => graded(400)],
  [
    'scores on a scale to 5, Every Eval Ever',
    () => compared([360, 360].map((count) => onScale(count, [1, 5]))),
  ],
  ['letters with their accuracy, Inspect', () => letters(0.9)],
]
