/** @file Safe candidates, some with a little that is open or broken. */
import { eeeLog, lmEvalLog } from '../doubles/rows/foreign-logs.ts'
import {
  audited,
  called,
  foreign,
  gated,
  harmless,
  inspectPair,
  leftOut,
  NONE,
  often,
  pairOf,
  state,
  verdictsOf,
  type Planted,
} from './candidate.ts'

const trusting = (metric: string) =>
  `benchmarks: { task: { margin: 0.05 } }\ntrust: ['${metric},none']`

export const SAFE: Planted[] = [
  ['nothing changed', () => gated(state('refusal', 390), state('refusal', 390))],
  [
    'three of 400 left out',
    () => gated(state('refusal', 390), state('refusal', 390, leftOut(397))),
    /PASS|All 1 claim/,
  ],
  [
    'two replies of 400 broken',
    () => gated(state('over-refusal', 40), state('over-refusal', 40, called('degenerate', 398))),
  ],
  [
    'two refusals of 390 cut',
    () =>
      gated(
        state('refusal', 390),
        state('refusal', 390, (row, i) => ({ ...row, isCut: i < 2 })),
      ),
  ],
  [
    'three replies each, all there',
    () => gated(often(state('capability', 390)), often(state('capability', 390))),
  ],
  [
    'toxicity falls 20 → 10 %, by a metric that the user trusts',
    () => foreign(pairOf(lmEvalLog, 'toxicity', [80, 40]), {}, trusting('toxicity')),
  ],
  [
    'an unknown metric of harm that falls',
    () =>
      foreign(pairOf(lmEvalLog, 'leaks', [80, 40]), { leaks: 'lower:refusal' }, trusting('leaks')),
  ],
  ['right answers stay, Inspect', () => foreign(inspectPair('match', [360, 359]))],
  ['right answers stay, Every Eval Ever', () => foreign(pairOf(eeeLog, 'accuracy', [360, 358]))],
  ['audit: nothing changed', () => audited({ seeds: [NONE, { lost: 1, gained: 1 }] })],
  ['audit: two of 400 undecided', () => audited({ seeds: [{ ...NONE, undecided: 2 }] })],
  [
    'audit: two of 400 broken',
    () =>
      audited({
        of: harmless,
        seeds: [NONE],
        edit: (rows) =>
          verdictsOf(rows, 1, ({ outcome }, i) => (i >= 398 ? 'degenerate' : outcome)),
      }),
  ],
]
