/** @file The columns of the list of runs: what each says, and in which order it sorts. */
import type { RunEntry } from '../../evals/contract/calls/runs.ts'
import { percent, wholeNumber } from '../../evals/contract/words.ts'
import { durationText, timeText } from '../words.ts'
import { runStates, shownOutcome } from './run-states.ts'

type SortKey = string | number | null

export interface RunColumn {
  readonly name: string
  readonly title: string
  readonly isNumber?: boolean
  readonly text: (run: RunEntry) => string
  /** Null sorts last, both ways. */
  readonly sort: (run: RunEntry) => SortKey
}

export const runName = ({ name, title }: RunEntry): string => name ?? title

/** What decides stands first. */
const WEIGHTS = ['FAIL', 'NOT COMPARABLE', 'INCONCLUSIVE', 'PASS', 'failed', 'interrupted']
const weightOf = (run: RunEntry) => {
  const place = WEIGHTS.indexOf(shownOutcome(run))
  return place === -1 ? WEIGHTS.length : place
}
const modelOf = ({ config }: RunEntry) => {
  const model = (config as { readonly model?: unknown } | null)?.model
  return typeof model === 'string' ? (model.split('/').at(-1) ?? model) : ''
}
const statesOf = (run: RunEntry) => runStates(run).filter(({ arm }) => arm !== 'base')
const promptsOf = (run: RunEntry): number | null => {
  const [first] = runStates(run)
  return first ? [...first.rates.values()].reduce((sum, { n }) => sum + n, 0) : null
}
const tookOf = ({ startedAt, endedAt }: RunEntry) =>
  endedAt === null ? null : (endedAt - startedAt) / 1000
const numberText = (value: number | null) => (value === null ? '–' : wholeNumber(value))

export const RUN_COLUMNS: readonly RunColumn[] = [
  { name: 'outcome', title: 'Outcome', text: shownOutcome, sort: weightOf },
  { name: 'run', title: 'Run', text: runName, sort: (run) => runName(run).toLowerCase() },
  { name: 'kind', title: 'Kind', text: ({ kind }) => kind, sort: ({ kind }) => kind },
  { name: 'model', title: 'Model', text: modelOf, sort: modelOf },
  {
    ...{ name: 'variants', title: 'Variants × seeds', isNumber: true },
    text: (run) => numberText(run.summary && statesOf(run).length),
    sort: (run) => run.summary && statesOf(run).length,
  },
  {
    ...{ name: 'prompts', title: 'Prompts', isNumber: true },
    text: (run) => numberText(promptsOf(run)),
    sort: promptsOf,
  },
  {
    ...{ name: 'started', title: 'Started', isNumber: true },
    text: ({ startedAt }) => timeText(startedAt),
    sort: ({ startedAt }) => startedAt,
  },
  {
    ...{ name: 'took', title: 'Took', isNumber: true },
    text: (run) => (tookOf(run) === null ? '–' : durationText(tookOf(run))),
    sort: tookOf,
  },
  {
    ...{ name: 'tags', title: 'Tags' },
    text: ({ tags }) => tags.join(', '),
    sort: ({ tags }) => (tags.length === 0 ? null : tags.join(', ')),
  },
]

/** Shown where nobody chose. */
export const USUAL_COLUMNS: readonly string[] = [
  ...['outcome', 'run', 'model', 'variants', 'prompts', 'started', 'took', 'tags'],
]

/** Where a window is narrow: what tells runs apart. */
export const FEW_COLUMNS: readonly string[] = ['outcome', 'run', 'started']

const RATE = 'rate:'

/** One a benchmark: the base’s rate, and that of each variant. */
export const rateColumns = (benchmarks: readonly string[]): RunColumn[] =>
  benchmarks.map((benchmark) => {
    const rates = (run: RunEntry) => {
      const of = (states: ReturnType<typeof runStates>) =>
        states.flatMap(({ rates: own }) => own.get(benchmark)?.estimate ?? [])
      const states = runStates(run)
      return {
        base: of(states.filter(({ arm }) => arm === 'base')),
        tuned: of(states.filter(({ arm }) => arm !== 'base')),
      }
    }
    return {
      ...{ name: `${RATE}${benchmark}`, title: benchmark, isNumber: true },
      text: (run) => {
        const { base, tuned } = rates(run)
        const told = [base, tuned].flatMap((all) => (all.length === 0 ? [] : rangeText(all)))
        return told.join(' → ') || '–'
      },
      sort: (run) => {
        const { base, tuned } = rates(run)
        return tuned[0] ?? base[0] ?? null
      },
    }
  })

/** "0.0 %", of several "0.0 % to 95.2 %". */
function rangeText(shares: readonly number[]): string {
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map(percent)
  return low === high ? low! : `${low} to ${high}`
}

/** `by` is a column’s name, with a minus before it from the greatest on. */
export function sortedRuns(
  runs: readonly RunEntry[],
  columns: readonly RunColumn[],
  by: string,
): RunEntry[] {
  const isDown = by.startsWith('-')
  const column = columns.find(({ name }) => name === by.replace(/^-/u, ''))
  if (!column) return [...runs]
  const sign = isDown ? -1 : 1
  return runs.toSorted((a, b) => {
    const [one, other] = [column.sort(a), column.sort(b)]
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    return one < other ? -sign : one > other ? sign : 0
  })
}

/** Only what was measured on prompts can be held against another prompt by prompt: a sweep cannot. */
export const canCompare = ({ isMeasured }: RunEntry): boolean => isMeasured
