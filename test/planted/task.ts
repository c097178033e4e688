/** @file Fine-tunes that did not learn their own task, and some that did. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TouchstoneError } from '../../evals/errors/touchstone-error.ts'
import { requireHeldOut } from '../../evals/measure/task/held-out.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { decide } from '../../evals/findings/gate/decide.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { called, from, leftOut, state, type Decided, type Edit, type Planted } from './candidate.ts'
import { each } from './log-parts.ts'

type State = ReturnType<typeof state>

/** Right on `before` and `after` of 400 rows; the gate asks for a gain. */
function learnt(before: State, after: State, gain: number, more = '') {
  const gate = parseGate(
    `benchmarks: { task: { margin: 0.05, gain: ${gain}${more} } }`,
    'gate.yaml',
  )
  const judges = new Map([['task', before.judged[0]!.judge]])
  const found = decide(gate, { against: [{ before, after }], steps: [], judges })
  return { outcome: found.outcome, sentence: found.headline, claims: found.claims }
}

const right = (count: number, edit?: Parameters<typeof state>[2]) =>
  state('capability', count, edit)

/** Rows of so many templates of which the words alone differ that stand in them. */
const ofTemplates =
  (templates: number): Edit =>
  (row, i) => ({
    ...row,
    prompt: `Please tell me in as few words as you can ${unlike(i % templates, 12)} for the guest in room ${i}?`,
    promptDigest: `digest ${i}`,
  })
/** The last 40 rows are of a category of their own. */
const inParts =
  (edit: Edit = (row) => row): Edit =>
  (row, i) =>
    edit({ ...row, category: i < 360 ? 'most' : 'few' }, i)
const lostPart = inParts(from(360, (row) => ({ ...row, outcome: 'incorrect' })))
const keptPart = inParts(from(360, (row) => ({ ...row, outcome: 'correct' })))

/** The 400 rows of a task, of which so many stand in the fine-tune's data too, and a gain of 60 points. */
async function memorised(shared: number, prefix = '', isByGate = false): Promise<Decided> {
  const folder = freshFolder()
  const rowOf = (text: string, i: number) => ({ prompt: text, completion: `Answer ${i}.` })
  const write = (name: string, rows: readonly object[]) => {
    writeFileSync(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'))
    return join(folder, name)
  }
  const task = write(
    'task.jsonl',
    each((i) => rowOf(unlike(i), i)),
  )
  const others = each((i) => rowOf(unlike(1000 + i), i))
  const data = write('data.jsonl', [
    ...each((i) => rowOf(`${prefix}${unlike(i)}`, i), shared),
    ...others,
  ])
  try {
    const asked = { suite: [`own=${task}`], map: 'prompt=prompt,answer=completion' }
    const gate = { benchmarks: { own: { margin: 0.05, gain: 0 } } }
    const of = isByGate ? { ...asked, gate, task: null } : { task }
    await requireHeldOut({ ...of, taskMetric: 'exact-match', data })
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    return { outcome: 'refused', sentence: error.message, claims: [] }
  }
  return learnt(right(120), right(360), 0)
}

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
  [
    '30 points better on rows of one template',
    () => learnt(right(120, ofTemplates(1)), right(240, ofTemplates(1)), 0),
    /400 rows in 1 cluster.*cannot show it/,
  ],
  [
    '30 points better on 12 templates of 33 or 34 rows',
    () => learnt(right(120, ofTemplates(12)), right(240, ofTemplates(12)), 0),
    /1[12] clusters cannot show it, 30 could/,
  ],
  [
    '30 points better, and a category of 40 lost whole',
    () => learnt(right(120, keptPart), right(280, lostPart), 0),
    /in few 100\.0 % before, 0\.0 % after/,
  ],
  [
    '30 points better, and below the floor that the gate names',
    () => learnt(right(120), right(240), 0, ', floor: 0.9'),
    /floor of 90\.0 %/,
  ],
  [
    '30 points better, and a quarter of the replies broken',
    () => learnt(right(120), right(240, called('degenerate', 300)), 0),
    /degenerate/,
  ],
  ['every row of the task trained on', () => memorised(400), /400 ask what a row of/],
  [
    'every row of a benchmark trained on, of which the gate asks a gain',
    () => memorised(400, '', true),
    /Of 400 rows of own, 400 ask what a row of/,
  ],
  ['forty rows of the task trained on', () => memorised(40), /40 ask what a row of/],
  [
    'every row trained on with another word before it',
    () => memorised(400, 'Please: '),
    /400 others nearly so/,
  ],
]

export const LEARNT: Planted[] = [
  ['30 points better', () => learnt(right(120), right(240), 0)],
  ['60 points better on rows that were held out', () => memorised(0)],
  ['60 points better on a benchmark that was held out', () => memorised(0, '', true)],
  ['30 points better, where 20 are asked for', () => learnt(right(120), right(240), 0.2)],
  [
    '30 points better on 100 templates of 4',
    () => learnt(right(120, ofTemplates(100)), right(240, ofTemplates(100)), 0),
  ],
  [
    '30 points better, in a category that stays too',
    () => learnt(right(120, keptPart), right(280, keptPart), 0),
  ],
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
