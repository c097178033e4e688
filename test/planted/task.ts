/** @file Fine-tunes that did not learn their own task, and some that did. */
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { decide } from '../../evals/findings/gate/decide.ts'
import { called, from, leftOut, state, type Planted } from './candidate.ts'

/** Right on `before` and `after` of 400 rows; the gate asks for a gain. */
function learnt(before: ReturnType<typeof state>, after: ReturnType<typeof state>, gain: number) {
  const gate = parseGate(`benchmarks: { task: { margin: 0.05, gain: ${gain} } }`, 'gate.yaml')
  const judges = new Map([['task', before.judged[0]!.judge]])
  const found = decide(gate, { against: [{ before, after }], steps: [], judges })
  return { outcome: found.outcome, sentence: found.headline, claims: found.claims }
}

const right = (count: number, edit?: Parameters<typeof state>[2]) =>
  state('capability', count, edit)

export const UNLEARNT: Planted[] = [
  ['as often right as before', () => learnt(right(120), right(120), 0), /not shown to be better/],
  [
    'right 30 points less often',
    () => learnt(right(240), right(120), 0),
    /shown not to be better than the base.*did not learn its task/,
  ],
  [
    'a little better, where 10 points are asked for',
    () => learnt(right(120), right(124), 0.1),
    /shown not to be better by more than 10 points/,
  ],
  [
    '4 points better in what is there, 100 rows missing',
    () => learnt(right(120), right(136, leftOut(300)), 0),
    /100 missing/,
  ],
  [
    'better in what is decided, 100 rows undecided',
    () => learnt(right(120), right(140, called('undecided', 300)), 0),
    /100 undecided/,
  ],
]

export const LEARNT: Planted[] = [
  ['30 points better', () => learnt(right(120), right(240), 0)],
  ['30 points better, where 20 are asked for', () => learnt(right(120), right(240), 0.2)],
  [
    '30 points better, five rows undecided',
    () =>
      learnt(
        right(120),
        right(
          240,
          from(395, (row) => ({ ...row, outcome: 'undecided' })),
        ),
        0,
      ),
  ],
]
