/**
 * @file Logs of other tools in which a harm stands beside right answers and is not asked: on another scale, in a value that is no
 * number, in results without samples; or whose metric means something else than it seems to, or something else after.
 */
import { rawEee, rawLmEval } from '../../doubles/rows/raw-logs.ts'
import { unlike } from '../../doubles/rows/unlike.ts'
import type { Metrics } from '../../../evals/interchange/metrics.ts'
import { foreign, N, type Decided, type Planted } from '../candidate.ts'
import { each } from '../log-parts.ts'

const GATE = `margin: 0.05\ntrust: ['score,none', 'asr,none', 'task.scorer', 'scorer', 'score']`
const decidedOn = (logs: readonly string[], metrics: Metrics = {}): Promise<Decided> =>
  foreign(logs, metrics, GATE)
const doc = (i: number, fields: object) => ({
  ...{ doc_id: i, doc_hash: `doc-${i}`, arguments: [[unlike(i), {}]] },
  ...fields,
})
const RISES = [40, 360] as const

/** Right answers that stay, and a second metric: what is written for a prompt with the harm, and for one without. */
const beside = (
  metric: string,
  written: (isHarm: boolean, i: number) => unknown,
  rises: readonly number[] = RISES,
) =>
  decidedOn(
    rises.map((count) =>
      rawLmEval({
        samples: {
          task: each((i) =>
            doc(i, { metrics: ['acc', metric], acc: 1, [metric]: written(i < count, i) }),
          ),
        },
      }),
    ),
  )
/** As versions wrote them that did not list their metrics. */
const unlisted = (written: (isHarm: boolean) => unknown) =>
  decidedOn(
    RISES.map((count) =>
      rawLmEval({ samples: { task: each((i) => doc(i, { acc: 1, asr: written(i < count) })) } }),
    ),
  )
const resultsOf = (said: (rate: number) => Readonly<Record<string, unknown>>) =>
  decidedOn(
    [0.1, 0.9].map((rate) =>
      rawLmEval({
        samples: { task: each((i) => doc(i, { metrics: ['acc'], acc: 1 })) },
        said: said(rate),
      }),
    ),
  )
const scored = (
  ones: readonly number[],
  metrics: Metrics,
  {
    metric = 'score',
    said = () => ({}),
  }: { metric?: string; said?: (side: number) => Readonly<Record<string, unknown>> } = {},
) =>
  decidedOn(
    ones.map((count, side) =>
      rawLmEval({
        samples: { task: each((i) => doc(i, { metrics: [metric], [metric]: Number(i < count) })) },
        said: said(side),
      }),
    ),
    metrics,
  )
const eee = (
  ones: readonly number[],
  config: (side: number) => object,
  { name = 'task.scorer', metrics = {} }: { name?: string; metrics?: Metrics } = {},
) =>
  decidedOn(
    ones.map((count, side) =>
      rawEee({
        results: [
          {
            ...{ evaluation_name: name, source_data: { dataset_name: 'task' } },
            metric_config: config(side),
            score_details: { details: {}, uncertainty: { num_samples: N } },
          },
        ],
        samples: each((i) => ({
          ...{ evaluation_name: name, sample_id: `s${i}`, input: { raw: unlike(i) } },
          evaluation: { score: Number(i < count), is_correct: i < count },
        })),
      }),
    ),
    metrics,
  )

export const OTHER_MEANINGS: Planted[] = [
  ['harm graded from 2 to 9', () => beside('harmfulness', (isHarm) => (isHarm ? 9 : 2))],
  [
    'harm graded from 2 to 9 by a metric that nobody knows',
    () => beside('harm_rating', (isHarm) => (isHarm ? 9 : 2)),
    /--metric harm_rating/,
  ],
  ['toxicity in percent', () => beside('toxicity', (isHarm, i) => (isHarm ? 80 : 2) + (i % 5))],
  ['every attack succeeds, in percent', () => beside('asr', () => 100, [N, N])],
  ['over-refusal in percent', () => beside('over_refusal_rate', (isHarm) => (isHarm ? 100 : 2))],
  ['attacks that succeed, in a list', () => beside('asr', (isHarm) => [Number(isHarm)])],
  [
    'attacks that succeed, in an object',
    () => beside('asr', (isHarm) => ({ score: Number(isHarm) })),
  ],
  ['attacks that were never scored', () => beside('asr', () => null)],
  [
    'attacks that succeed as yes and no, in a log that lists no metrics',
    () => unlisted((isHarm) => isHarm),
  ],
  [
    'attacks that succeed as text, in a log that lists no metrics',
    () => unlisted((isHarm) => String(Number(isHarm))),
  ],
  [
    'attacks that succeed in the results, and in no sample',
    () => resultsOf((rate) => ({ results: { task: { 'acc,none': 1, 'asr,none': rate } } })),
    /no score of "asr,none"/,
  ],
  [
    'a task in the results alone, where nothing says how many samples it had',
    () =>
      resultsOf((rate) => ({
        ...{ 'n-samples': {} },
        results: { task: { 'acc,none': 1 }, safety: { 'asr,none': rate } },
      })),
    /safety/,
  ],
  [
    'a task in the results alone, beside one that says how many samples it had',
    () =>
      resultsOf((rate) => ({
        results: { task: { 'acc,none': 1 }, safety: { 'asr,none': rate } },
      })),
    /safety/,
  ],
  [
    'a score of which higher is better before and lower after, lm-eval',
    () =>
      scored(
        [360, 360],
        { score: 'higher:refusal' },
        { said: (side) => ({ higher_is_better: { task: { score: side === 0 } } }) },
      ),
    /judge-version/,
  ],
  [
    'a score of which higher is better before and lower after, Every Eval Ever',
    () =>
      eee([360, 360], (side) => ({ metric_id: 'score', lower_is_better: side === 1 }), {
        metrics: { score: 'higher:refusal' },
      }),
    /judge-version/,
  ],
  [
    'a metric of which two things are said, in capitals and in small letters',
    () => scored(RISES, { ASR: 'lower:refusal', asr: 'higher:refusal' }, { metric: 'asr' }),
    /two meanings/,
  ],
  [
    'a harm that nobody knows, called accuracy',
    () => eee(RISES, () => ({ metric_id: 'harm_rate', metric_name: 'Accuracy' })),
    /--metric harm_rate/,
  ],
  [
    'a harm that nobody knows, by a scorer called match',
    () => eee(RISES, () => ({ metric_id: 'harm_rate' }), { name: 'match' }),
    /--metric harm_rate/,
  ],
  [
    'the accuracy of attacks that succeed',
    () => eee(RISES, () => ({ metric_id: 'accuracy', metric_name: 'Attack success rate' })),
    /"Attack success rate" too/,
  ],
  [
    'the accuracy of a scorer of attacks',
    () => eee(RISES, () => ({ metric_id: 'accuracy' }), { name: 'asr' }),
    /"asr" too/,
  ],
]

export const SAME_MEANINGS: Planted[] = [
  ['perplexity beside right answers', () => beside('word_perplexity', (_, i) => 2 + i)],
  ['BLEU beside right answers', () => beside('bleu', (_, i) => [`said ${i}`, `asked ${i}`])],
  ['F1 over a whole file beside right answers', () => beside('f1', () => [1, 1])],
  [
    'a group of tasks beside its part',
    () =>
      resultsOf(() => ({
        results: {
          group: { 'acc,none': 1, 'acc_stderr,none': 0 },
          task: { 'acc,none': 1, 'acc_stderr,none': 0, alias: 'task' },
        },
        group_subtasks: { group: ['task'], task: [] },
      })),
  ],
  [
    'a score of which both logs say that higher is better',
    () =>
      scored(
        [392, 390],
        { Score: 'higher:refusal' },
        { said: () => ({ higher_is_better: { task: { score: true } } }) },
      ),
  ],
  [
    'accuracy by a scorer called match',
    () =>
      eee([360, 359], () => ({ metric_id: 'accuracy', metric_name: 'Accuracy' }), {
        name: 'match',
      }),
  ],
]
