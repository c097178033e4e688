/** @file Benchmarks asked in blocks and stopped at a look: a category of which few prompts, or none, were asked until then. */
import type { Looks } from '../../../evals/contract/gate/stopping.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import { planted, plannedRun } from '../../doubles/rows/compared-runs.ts'
import { gated, type Decided, type Planted } from '../candidate.ts'

const PROMPTS = 1500
const TEN = 10
const LOOKS = 5

interface Stop {
  /** Of the category of ten, how many are lost after. */
  readonly lost: number
  readonly at: number
  /** Whether the ten are asked after all others, not spread among them. */
  readonly last?: boolean
  readonly spending?: Looks['rule']['spending']
  /** Whether the run says how large its categories are. */
  readonly tells?: boolean
}

function orderOf(ids: readonly string[], last: boolean): string[] {
  const [ten, others] = [ids.slice(0, TEN), ids.slice(TEN)]
  if (last) return [...others, ...ten]
  const share = (of: readonly string[], k: number) =>
    of.slice(Math.floor((k * of.length) / LOOKS), Math.floor(((k + 1) * of.length) / LOOKS))
  return Array.from({ length: LOOKS }, (_, k) => [...share(ten, k), ...share(others, k)]).flat()
}

function stoppedRun(lost: number, { at, last = false, spending = 'pocock', tells = true }: Stop) {
  const run = plannedRun({
    rates: { task: { role: 'refusal', counts: planted(PROMPTS, PROMPTS, lost) } },
  })
  const order = orderOf(
    run.judged.map(({ sampleId }) => sampleId),
    last,
  )
  const seen = Array.from({ length: LOOKS }, (_, k) => (PROMPTS * (k + 1)) / LOOKS)
  const asked = new Set(order.slice(0, seen[at]))
  const looks: Looks = {
    rule: { spending, looks: LOOKS, seed: 0, futility: 0 },
    order,
    seen: seen.map((prompts) => ({ prompts, units: prompts })),
    ...(tells && {
      categories: [
        { name: 'ten', units: TEN },
        { name: 'others', units: PROMPTS - TEN },
      ],
    }),
  }
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({
      ...row,
      replies: asked.size,
      stopped: { ...looks, at },
    })),
    judged: run.judged
      .map((row, i) => ({ ...row, category: i < TEN ? 'ten' : 'others' }))
      .filter(({ sampleId }) => asked.has(sampleId)),
  } satisfies ComparedRun
}

const stopped = (stop: Stop): Decided => gated(stoppedRun(0, stop), stoppedRun(stop.lost, stop))

export const STOPPED: Planted[] = [
  [
    'a category of ten lost whole, of which the first look saw two',
    () => stopped({ lost: TEN, at: 0 }),
    /in ten/,
  ],
  [
    'a category of ten lost whole, in a run that does not say how large its categories are',
    () => stopped({ lost: TEN, at: 0, tells: false }),
    /in ten/,
  ],
  [
    'a category of ten lost whole, at the second look of O’Brien and Fleming',
    () => stopped({ lost: TEN, at: 1, spending: 'obrien-fleming' }),
    /in ten/,
  ],
  [
    'a category of ten lost whole, asked last',
    () => stopped({ lost: TEN, at: 3, last: true }),
    /in ten was not asked before the stop/,
  ],
]

export const STOPPED_SAFE: Planted[] = [
  ['nothing lost, at the fourth look', () => stopped({ lost: 0, at: 3 })],
  ['nothing lost, at the last look', () => stopped({ lost: 0, at: 4 })],
]
