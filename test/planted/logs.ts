/**
 * @file Logs of other tools that do not say the same before and after, or do not say what they seem to: the questions, the scorer,
 * the threshold or the base is another one. And safe ones beside them.
 */
import {
  eeeLog,
  garakLog,
  inspectLog,
  lmEvalLog,
  pairedTable,
  promptfooLog,
  scores,
} from '../doubles/rows/foreign-logs.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { importRuns } from '../../evals/interchange/import.ts'
import { TouchstoneError } from '../../evals/errors/touchstone-error.ts'
import { byOne, foreign, N, type Decided, type Planted } from './candidate.ts'

type Word = 'refusal' | 'compliance'

const trusting = (judge: string) => `benchmarks: { task: { margin: 0.05 } }\ntrust: ['${judge}']`
const hard = (i: number) => `Which of the nine keys opens door ${i}? ${unlike(i)}`
const easy = (i: number) => `What colour has door ${i}? ${unlike(i)}`
const garak = (...logs: readonly Parameters<typeof garakLog>[0][]) =>
  foreign(logs.map(garakLog), {}, trusting('house'))
const scorer = (options: object) => ({ scorers: [{ name: 'match', options }] })
/** Scores that a detector gives: sure of no harm, or just above the default threshold. */
const sure = (n: number, hits: number, hit = 0.6) =>
  Array.from({ length: n }, (_, i) => (i < hits ? hit : 0))

/** The base of the table against its first fine-tune. */
async function byTable(table: string): Promise<Decided> {
  try {
    const [before, after] = await importRuns(table)
    return byOne(before!, after!, { gate: trusting('house') })
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    return { outcome: 'refused', sentence: `${error.message} ${error.remedy}`, claims: [] }
  }
}

const said = (n: number, after: (i: number) => Word, before: (i: number) => Word) =>
  Array.from({ length: n }, (_, i) => [before(i), after(i)] as const)
const from =
  (first: number): ((i: number) => Word) =>
  (i) =>
    i < first ? 'compliance' : 'refusal'

export const CHANGED_LOGS: Planted[] = [
  [
    'easier questions under the same ids after, lm-eval',
    () =>
      foreign(
        [hard, easy].map((prompt) => lmEvalLog({ metric: 'acc', scores: scores(N, 360), prompt })),
      ),
    /prompt-text/,
  ],
  [
    'easier questions under the same ids after, Inspect',
    () =>
      foreign(
        [hard, easy].map((prompt) =>
          inspectLog({ metric: 'match', scores: scores(N, 360), prompt }),
        ),
      ),
    /prompt-text/,
  ],
  [
    'easier questions under the same ids after, Every Eval Ever',
    () =>
      foreign(
        [hard, easy].map((prompt) =>
          eeeLog({ metric: 'accuracy', scores: scores(N, 360), prompt }),
        ),
      ),
    /prompt-text/,
  ],
  [
    'a filter that takes the last number that fits, after alone, lm-eval',
    () =>
      foreign(
        ['first', 'best'].map((filter) =>
          lmEvalLog({ metric: 'acc', scores: scores(N, 360), said: { filter_list: [filter] } }),
        ),
      ),
    /judge-version/,
  ],
  [
    'a scorer that ignores the answer, after alone, Inspect',
    () =>
      foreign(
        ['exact', 'any'].map((location) =>
          inspectLog({ metric: 'match', scores: scores(N, 360), said: scorer({ location }) }),
        ),
      ),
    /judge-version/,
  ],
  [
    'assertions that every reply holds, after alone, promptfoo',
    () =>
      foreign(
        ['42', ''].map((value) =>
          promptfooLog(
            scores(N, 360).map((each) => each === 1),
            { type: 'contains', value },
          ),
        ),
      ),
    /judge-version/,
  ],
  [
    'a threshold above all of 200 hits after, garak',
    () => garak({ scores: sure(N, 0), threshold: 0.5 }, { scores: sure(N, 200), threshold: 0.9 }),
    /judge-version/,
  ],
  [
    'the 120 worst attempts begun and never scored, on both sides, garak',
    () => {
      const begun = [...sure(280, 0), ...Array<null>(120).fill(null)]
      return garak({ scores: begun }, { scores: begun })
    },
    /120 missing/,
  ],
  [
    'attacks succeed 10 → 90 %, as a task that calls its role refusal, lm-eval',
    () =>
      foreign(
        [40, 360].map((ones) =>
          lmEvalLog({
            ...{ metric: 'attack_success_rate', scores: scores(N, ones) },
            said: { metadata: { role: 'refusal', version: 1 } },
          }),
        ),
        {},
        trusting('attack_success_rate,none'),
      ),
    /refusal on task 90\.0 % before, 10\.0 %/,
  ],
  [
    'a table whose second fine-tune says that the base had lost the same 40',
    () =>
      byTable(
        pairedTable({
          first: said(N, from(40), from(0)),
          second: said(N, from(40), from(40)),
        }),
      ),
    /as another row says of the same reply/,
  ],
]

export const SAME_LOGS: Planted[] = [
  [
    'the same questions and filter, lm-eval',
    () =>
      foreign(
        [360, 358].map((ones) =>
          lmEvalLog({
            ...{ metric: 'acc', scores: scores(N, ones) },
            said: { filter_list: ['first'] },
          }),
        ),
      ),
  ],
  [
    'the same scorer with its options, Inspect',
    () =>
      foreign(
        [360, 359].map((ones) =>
          inspectLog({
            ...{ metric: 'match', scores: scores(N, ones) },
            said: scorer({ location: 'exact' }),
          }),
        ),
      ),
  ],
  [
    'the same assertions, promptfoo',
    () =>
      foreign(
        [360, 358].map((ones) =>
          promptfooLog(
            scores(N, ones).map((each) => each === 1),
            { type: 'contains', value: '42' },
          ),
        ),
      ),
  ],
  [
    'four more hits at the same threshold, garak',
    () => garak({ scores: sure(N, 4) }, { scores: sure(N, 8) }),
  ],
  [
    'a table of two fine-tunes of one base',
    () =>
      byTable(
        pairedTable({ first: said(N, from(2), from(0)), second: said(N, from(40), from(0)) }),
      ),
  ],
]
