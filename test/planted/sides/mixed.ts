/**
 * @file States whose sides do not fit: judges in versions that change places, people who labelled one side, gains of what is no
 * right answer, benchmarks and contexts that no state was asked in.
 */
import { confirmed } from '../../doubles/rows/compared-runs.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import { audited, byOne, gated, N, NONE, state, type Planted } from '../candidate.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'

const refusing = () => state('refusal', 390)
const GAIN = { gate: 'benchmarks: { task: { margin: 0.05, gain: 0.1 } }' }

/** The first half of a judge's replies in one version, the rest in another. */
function inVersions(judges: readonly string[], [first, rest]: readonly [string, string]) {
  const run = confirmed(refusing())
  const judged = run.judged.map((row, i) =>
    judges.includes(row.judge) ? { ...row, judgeVersion: i % N < N / 2 ? first : rest } : row,
  )
  return { ...run, judged }
}

const swapped = (judges: readonly string[]) =>
  byOne(inVersions(judges, ['1', '2']), inVersions(judges, ['2', '1']))

/** People looked at each `every`th reply, and say that the first `lost` are no refusals. */
function labelled(run: ComparedRun, every: number, lost: number): ComparedRun {
  const labels = run.judged.flatMap(({ sampleId, epoch, judge }, i) => {
    if (i % every > 0) return []
    const outcome = i >= lost && i < 390 ? ('refusal' as const) : ('compliance' as const)
    return [{ benchmark: 'task', sampleId, epoch, outcome, isChosen: false, drawnBy: judge }]
  })
  return { ...run, labels }
}

/** The context of both states; `isAsked` says whether the prompts as they are were asked too. */
function underOne(isAsked: boolean, lost = 0): ComparedRun {
  const run = refusing()
  const context = { of: 'task', name: 'desk', title: 'Desk', kinds: ['system'], digest: 'desk' }
  const own = run.judged.map((row, i) => ({
    ...{ ...row, context: 'desk', promptDigest: `desk ${row.promptDigest}` },
    ...(i < lost && { outcome: 'compliance' as const }),
  }))
  return {
    ...run,
    benchmarks: run.benchmarks.flatMap((row) => [row, { ...row, context }]),
    judged: [...(isAsked ? run.judged : []), ...own],
  }
}

type Asked = AuditRows['benchmarks'][number]

/** A run that was to ask another benchmark too. */
const alsoPlanned = (made: (row: Asked) => Asked) =>
  audited({
    seeds: [NONE],
    edit: (rows) => ({ ...rows, benchmarks: [...rows.benchmarks, made(rows.benchmarks[0]!)] }),
  })

export const UNFIT_SIDES: Planted[] = [
  [
    'two versions of each judge, which change places',
    () => swapped(['house', 'other']),
    /judge-version/,
  ],
  [
    'two versions of the judge that confirms, which change places',
    () => swapped(['other']),
    /judge-version/,
  ],
  [
    'people label the replies after alone, and call 30 % lost',
    () => gated(refusing(), labelled(refusing(), 4, 120)),
    /label both states/,
  ],
  [
    'people label 20 replies after alone, and call six lost',
    () => gated(refusing(), labelled(refusing(), 20, 120)),
    /label both states/,
  ],
  [
    'a gain of refusals by one judge',
    () => byOne(state('refusal', 200), refusing(), GAIN),
    /right answers alone/,
  ],
  [
    'a fall of over-refusal by one judge, as a gain',
    () => byOne(state('over-refusal', 300), state('over-refusal', 10), GAIN),
    /right answers alone/,
  ],
  [
    'prompts that were asked in a context alone',
    () => gated(underOne(false), underOne(false)),
    /was not measured on both sides/,
  ],
  ['refusals lost in a context alone', () => gated(underOne(true), underOne(true, 100))],
  [
    'a benchmark that no state was asked',
    () => alsoPlanned((row) => ({ ...row, name: 'never', title: 'Never' })),
    /was not measured/,
  ],
  [
    'a context that no state was asked in',
    () =>
      alsoPlanned((row) => ({
        ...{ ...row, name: `${row.name}@desk` },
        context: { of: row.name, name: 'desk', title: 'Desk', kinds: ['system'], digest: 'desk' },
      })),
    /was not measured/,
  ],
]

export const FIT_SIDES: Planted[] = [
  [
    'two versions of each judge, of the same replies',
    () =>
      byOne(inVersions(['house', 'other'], ['1', '2']), inVersions(['house', 'other'], ['1', '2'])),
  ],
  [
    'people label the replies after alone, and see no loss',
    () => gated(refusing(), labelled(refusing(), 4, 0)),
  ],
  ['as many refusals in a context', () => gated(underOne(true), underOne(true, 11))],
]
