/** @file Methods at the same training loss: which state of each was compared, how far apart their losses are, and what differs. */
import type { MatchedSeed, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { percent, pValueText, signedPoints } from '../../contract/words.ts'
import { html, type Markup } from '../markup.ts'
import { table, type Column } from '../table.ts'
import { firstJudge, fixed } from '../view.ts'

type State = MatchedSeed['arms'][number] & Pick<MatchedSeed, 'seed' | 'target'>
type Pair = MatchedSeed['pairs'][number]

export function matchedSection(results: Results): Markup {
  const { matched, benchmarks } = results
  if (matched.length === 0) return html``
  const states = matched.flatMap(({ seed, target, arms }) =>
    arms.map((arm) => ({ ...arm, seed, target })),
  )
  const pairs = matched.flatMap((each) => each.pairs.filter(isFirstJudge(benchmarks)))
  return html`<h2>At the same training loss</h2>
    <p>
      Methods that learn at different speeds are compared where they have learnt as much: at the
      first step at which an arm’s smoothed training loss (bias-corrected mean, 0.9) is at most the
      highest of the arms’ last ones, same data and seed. Every step counts; the third column says
      what is left of a difference.
    </p>
    ${table<State>(columns(results), states, 'The states compared')}
    ${table<Pair>(
      pairColumns(benchmarks),
      pairs,
      'On the same prompts: change from the first method to another, points with 95 % interval (Newcombe, paired)',
    )}`
}

const isFirstJudge = (benchmarks: readonly BenchmarkRow[]) => (row: Pair) =>
  benchmarks.some(
    (benchmark) => benchmark.name === row.benchmark && firstJudge(benchmark) === row.judge,
  )

function columns(results: Results): Column<State>[] {
  const { benchmarks, evaluations, metrics, spectrumTotals } = results
  const isHere =
    ({ arm, seed, step }: State) =>
    (row: { arm: string; seed: number; step: number }) =>
      row.arm === arm && row.seed === seed && row.step === step
  return [
    { head: 'Method and seed', cell: ({ arm, seed }) => `${arm}, seed ${seed}` },
    { head: 'Step', cell: ({ step, steps }) => `${step} of ${steps}`, kind: 'number' },
    {
      head: 'Loss − target',
      cell: ({ loss, target }) =>
        `${fixed(loss, 4)} − ${fixed(target, 4)} = ${less(target - loss)}`,
      kind: 'number',
    },
    ...benchmarks.map((benchmark): Column<State> => ({
      head: benchmark.title,
      cell: (state) => {
        const found = evaluations
          .filter(isHere(state))
          .find((row) => row.benchmark === benchmark.name && row.judge === firstJudge(benchmark))
        return found?.rate.estimate == null ? '–' : percent(found.rate.estimate)
      },
      kind: 'number',
    })),
    {
      head: 'Neutral loss',
      cell: (state) =>
        fixed(
          metrics.filter(isHere(state)).find(({ name }) => name === 'neutral/loss')?.value ?? null,
          3,
        ),
      kind: 'number',
    },
    {
      head: 'Intruders',
      cell: (state) => {
        const found = spectrumTotals.find(isHere(state))
        return found ? `${found.intruders} of ${found.slots}` : '–'
      },
      kind: 'number',
    },
  ]
}

/** The target is never passed upwards. */
const less = (nats: number) => (nats === 0 ? '0' : `−${nats.toFixed(4)}`)

const pairColumns = (benchmarks: readonly BenchmarkRow[]): Column<Pair>[] => [
  {
    head: 'Seed',
    cell: ({ seed }) => seed,
    kind: 'number',
  },
  {
    head: 'From',
    cell: ({ reference, referenceStep }) => `${reference}, step ${referenceStep}`,
  },
  { head: 'To', cell: ({ arm, step }) => `${arm}, step ${step}` },
  {
    head: 'Benchmark',
    cell: ({ benchmark }) => benchmarks.find(({ name }) => name === benchmark)?.title ?? benchmark,
  },
  {
    head: 'Change',
    cell: ({ difference, lower, upper }) =>
      difference === null || lower === null || upper === null
        ? '–'
        : `${signedPoints(-difference)} (${signedPoints(-upper)} to ${signedPoints(-lower)})`,
    kind: 'number',
  },
  { head: 'Exact p', cell: ({ pValue }) => pValueText(pValue), kind: 'number' },
  { head: 'Pairs', cell: ({ n }) => n, kind: 'number' },
]
