/** @file Tables of what methods do to a peak of the test error over rank, for the page of findings. */
import { MINUS } from '../../../../evals/contract/words.ts'
import type { CellRow, PeakComparison, Sweep } from '../../../../evals/contract/sweeps.ts'
import { median } from '../../../../evals/statistics/median.ts'
import { holmAdjusted } from '../../../../evals/statistics/paired/holm.ts'
import {
  outcomeOf,
  pairedEffect,
  peakSize,
} from '../../../../evals/sweeps/detectors/peak-effect.ts'

export const digits = (value: number | null, count = 2): string =>
  value === null ? '–' : String(Number(value.toPrecision(count)))
export const percent = (share: number): string => (100 * share).toFixed(1)
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

export const valuesOf = ({ axes }: Pick<Sweep, 'axes'>, axis: string): readonly number[] =>
  axes.find(({ name }) => name === axis)!.values
export const ranksOf = (sweep: Pick<Sweep, 'axes'>): readonly number[] => valuesOf(sweep, 'rank')
const placeText = (axes: Readonly<Record<string, number>>) =>
  Object.entries(axes)
    .map(([name, value]) => `, ${name} ${value}`)
    .join('')

export const TEST_ERROR = 'test-error'

/** Of every seed; a method without a rank has the same values at each. */
const metricsAt = ({ cells }: Sweep, line: string, rank: number, metric: string): number[] =>
  cells
    .filter(({ spec }) => spec.line === line && (spec.axes['rank'] ?? rank) === rank)
    .flatMap(({ metrics }) => metrics.filter(({ name }) => name === metric))
    .map(({ value }) => value)

const BESIDE = [
  ['largest-eigenvalue', 'λ'],
  ['hessian-trace', 'trace'],
  ['parameter-norm', '‖W‖'],
  ['effective-rank', 'effective rank'],
  ['intruders', 'intruders'],
] as const

/** Medians of one line over rank. */
export function beside(sweep: Sweep, line: string): string {
  const head = ['Rank', 'training error, %', 'test error, %', 'at its best step, %']
  const rows = ranksOf(sweep).map((rank) => {
    const at = (metric: string) => median(metricsAt(sweep, line, rank, metric))
    const tests = metricsAt(sweep, line, rank, TEST_ERROR)
    return [
      String(rank),
      percent(at('train-error')),
      `${percent(at(TEST_ERROR))} (${percent(Math.min(...tests))}–${percent(Math.max(...tests))})`,
      percent(at('best-test-error')),
      ...BESIDE.map(([metric]) => digits(at(metric), 3)),
    ]
  })
  return tableOf([...head, ...BESIDE.map(([, title]) => title)], rows)
}

/** One table of test errors, every line at every rank. */
export function linesTable(sweep: Sweep): string {
  const ranks = ranksOf(sweep)
  const rows = sweep.lines.map(({ name, title }) => [
    `\`${name}\`: ${title}`,
    ...ranks.map((rank) => {
      const [test, train] = [TEST_ERROR, 'train-error'].map((metric) =>
        percent(median(metricsAt(sweep, name, rank, metric))),
      )
      return `${test} (${train})`
    }),
  ])
  return tableOf(['Line', ...ranks.map(String)], rows)
}

const CLAIM_HEAD = [
  ...['Claim', 'outcome', 'height', 'held against', 'difference (95 %)', 'p (Holm)'],
  ...['smallest seen', 'shift of the place, doublings', 'difference of the area'],
]
const interval = (effect: PeakComparison['height'], factor = 1) =>
  [effect.difference, effect.lower, effect.upper]
    .map((value) => (factor * value).toFixed(1).replace('-', MINUS))
    .join(' / ')

type Effects = Pick<PeakComparison, 'height' | 'place' | 'area'>

const effectCells = (claim: string, outcome: string, { height, place, area }: Effects) => [
  ...[claim, `**${outcome}**`, ...[height.own, height.against].map(percent)],
  ...[interval(height, 100), digits(height.pValue), percent(height.smallest)],
  ...[interval(place), interval(area, 100)],
]

export const claims = ({ comparisons = [] }: Sweep): string =>
  tableOf(
    CLAIM_HEAD,
    comparisons
      .filter(({ metric }) => metric === TEST_ERROR)
      .map((row) => {
        const claim = `\`${row.line}\` lowers the peak of \`${row.against}\`${placeText(row.axes)}`
        return effectCells(claim, row.outcome, row)
      }),
  )

export const peakSentences = ({ descents }: Sweep, axis = 'rank'): string =>
  descents
    .filter((row) => row.metric === TEST_ERROR && row.axis === axis)
    .map(({ line, axes, sentence }) => `- \`${line}\`${placeText(axes)}: ${sentence}`)
    .join('\n')

type Cells = readonly Pick<CellRow, 'spec' | 'metrics'>[]

/** The peaks of the cells of `isHere` over these values of an axis, in doublings, seed by seed. */
export function sizesOf(
  cells: Cells,
  [axis, values]: readonly [string, readonly number[]],
  isHere: (cell: CellRow['spec']) => boolean,
) {
  const own = cells.filter(({ spec }) => isHere(spec))
  return [...Map.groupBy(own, ({ spec }) => spec.seed)]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => {
      const value = (place: number) =>
        group
          .find(({ spec }) => spec.axes[axis] === place)!
          .metrics.find(({ name }) => name === TEST_ERROR)!.value
      return peakSize(values.map(Math.log2), values.map(value))
    })
}

const QUANTITIES = ['height', 'place', 'area'] as const

/** Weight decay against none, over the seeds and ranks of `decay`. */
export function decayTable(decay: Sweep, plain: Sweep, decays: readonly number[]): string {
  const seeds = new Set(decay.cells.map(({ spec }) => spec.seed))
  const ranks = ['rank', ranksOf(decay)] as const
  const isPlain = ({ line, seed }: CellRow['spec']) => line === 'lora' && seeds.has(seed)
  const against = sizesOf(plain.cells, ranks, isPlain)
  const effects = decays.map((value) => {
    const own = sizesOf(decay.cells, ranks, ({ axes }) => axes['weight-decay'] === value)
    const [height, place, area] = QUANTITIES.map((quantity) =>
      pairedEffect(
        own.map((size) => size[quantity]),
        against.map((size) => size[quantity]),
      ),
    )
    return { height: height!, place: place!, area: area! }
  })
  const adjusted = holmAdjusted(effects.map(({ height }) => height.pValue))
  const rows = effects.map((effect, i) => {
    const height = { ...effect.height, pValue: adjusted[i]! }
    const claim = `weight decay ${decays[i]} lowers the peak of \`lora\``
    return effectCells(claim, outcomeOf(height), { ...effect, height })
  })
  return tableOf(CLAIM_HEAD, rows)
}
