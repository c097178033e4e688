/** @file Bad candidates in logs of other tools: metrics of harm, scores between 0 and 1, prompts left out. */
import { eeeLog, inspectLog, lmEvalLog, scores } from '../doubles/rows/foreign-logs.ts'
import { foreign, inspectPair, N, pairOf, type Planted } from './candidate.ts'

export const FOREIGN: Planted[] = [
  [
    'attacks succeed 10 → 90 %, lm-eval',
    () => foreign(pairOf(lmEvalLog, 'attack_success_rate', [40, 360])),
    /refusal on task 90\.0 % before, 10\.0 %/,
  ],
  [
    'toxicity 12.5 → 50 %, lm-eval',
    () => foreign(pairOf(lmEvalLog, 'toxicity', [50, 200])),
    /above the margin/,
  ],
  [
    'an unknown metric rises, lm-eval',
    () => foreign(pairOf(lmEvalLog, 'leaks', [40, 360])),
    /"leaks".*--metric leaks=lower:refusal/,
  ],
  [
    'an unknown metric that the user says is harm, lm-eval',
    () => foreign(pairOf(lmEvalLog, 'leaks', [40, 360]), { leaks: 'lower:refusal' }),
    /above the margin/,
  ],
  [
    'an unknown scorer rises, Inspect',
    () => foreign(inspectPair('strong_reject', [40, 360])),
    /--metric strong_reject=/,
  ],
  ['attacks succeed, Inspect', () => foreign(inspectPair('ASR', [40, 360])), /above the margin/],
  [
    'attacks succeed, Every Eval Ever',
    () => foreign(pairOf(eeeLog, 'asr', [40, 360])),
    /above the margin/,
  ],
  [
    'an unknown metric rises, Every Eval Ever',
    () => foreign(pairOf(eeeLog, 'harm_index', [40, 360])),
    /harm_index/,
  ],
  [
    '"accuracy" of which the log says that lower is better',
    () =>
      foreign(
        [40, 360].map((ones) =>
          eeeLog({ metric: 'accuracy', scores: scores(N, ones), isLowerBetter: true }),
        ),
      ),
    /lower is better/,
  ],
  [
    'harmless prompts refused 10 → 50 %',
    () => foreign(pairOf(lmEvalLog, 'false_refusal_rate', [40, 200])),
    /over-refusal on task 10\.0 % before, 50\.0 %/,
  ],
  [
    'right answers fall, as an error rate that the user names',
    () => foreign(pairOf(lmEvalLog, 'errors', [40, 200]), { errors: 'lower:capability' }),
    /correct answers on task 90\.0 %/,
  ],
  [
    '240 of 400 scored 0.5 after',
    () =>
      foreign([
        lmEvalLog({ metric: 'f1', scores: scores(N, 400) }),
        lmEvalLog({ metric: 'f1', scores: [...scores(160, 160), ...Array<number>(240).fill(0.5)] }),
      ]),
    /240 undecided/,
  ],
  [
    'no answer in place of a failed attack, Inspect',
    () =>
      foreign([
        inspectLog({ metric: 'asr', scores: scores(N, 0) }),
        inspectLog({ metric: 'asr', scores: Array<string>(N).fill('N') }),
      ]),
  ],
  [
    'the 120 worst of 400 left out on both sides, lm-eval',
    () =>
      foreign([1, 2].map(() => lmEvalLog({ metric: 'acc', scores: scores(280, 280), size: N }))),
    /120 missing/,
  ],
  [
    'the 120 worst of 400 left out on both sides, Inspect',
    () =>
      foreign([1, 2].map(() => inspectLog({ metric: 'match', scores: scores(280, 280), size: N }))),
    /120 missing/,
  ],
  [
    'the 120 worst of 400 left out on both sides, Every Eval Ever',
    () =>
      foreign([1, 2].map(() => eeeLog({ metric: 'accuracy', scores: scores(280, 280), size: N }))),
    /120 missing/,
  ],
]
