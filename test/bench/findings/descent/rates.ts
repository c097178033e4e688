/** @file Refusal, over-refusal and capability over rank and along trainings: monotone, a peak or a low, for the page of findings. */
import { MINUS } from '../../../../evals/contract/words.ts'
import type { DescentRow, Sweep } from '../../../../evals/contract/sweeps.ts'
import { pairedEffect } from '../../../../evals/sweeps/detectors/peak-effect.ts'
import { digits, percent, ranksOf, tableOf } from './tables.ts'

const LINE = 'lora'

/** Medians of a benchmark over the seeds on the way of each training, rank by step. */
export function ratesTable(sweep: Sweep, metric: string): string {
  const own = sweep.curves.filter(({ name, line }) => name === metric && line === LINE)
  const rows = ranksOf(sweep).map((rank) => {
    const { points } = own.find((curve) => curve.axes['rank'] === rank)!
    return [
      String(rank),
      ...points.map(
        ({ median: middle, minimum, maximum }) =>
          `${percent(middle)} (${percent(minimum)}–${percent(maximum)})`,
      ),
    ]
  })
  return tableOf(['Rank \\ step', ...own[0]!.points.map(({ x }) => String(x))], rows)
}

const signed = (share: number) => percent(share).replace('-', MINUS)

/** What the two tests of one curve say together. */
function courseOf(low: DescentRow, peak: DescentRow, change: Change): string {
  const found = [low, peak].filter(({ outcome }) => outcome === 'peak')
  if (found.length > 0) {
    const name = ({ shape }: DescentRow) => (shape === 'valley' ? 'a low' : 'a peak')
    return found
      .map((row) => `${name(row)} at ${row.peak} (${row.peakLower}–${row.peakUpper})`)
      .join(', ')
  }
  if (low.pValue === null || peak.pValue === null) return 'not tested'
  if ([low, peak].some(({ outcome }) => outcome === 'cannot tell')) return 'cannot be told'
  if (change.lower > 0) return 'monotone: rises'
  return change.upper < 0 ? 'monotone: falls' : 'level: no change shown'
}

type Change = ReturnType<typeof pairedEffect>

function valuesOf({ cells }: Sweep, line: string, metric: string, rank?: number): number[] {
  return cells
    .filter(({ spec }) => spec.line === line && (rank === undefined || spec.axes['rank'] === rank))
    .toSorted((a, b) => a.spec.seed - b.spec.seed)
    .flatMap(({ metrics }) => metrics.filter(({ name }) => name === metric))
    .map(({ value }) => value)
}

function changeOf(sweep: Sweep, { axis, axes, metric }: DescentRow): Change {
  const ranks = ranksOf(sweep)
  if (axis === 'rank') {
    const [first, last] = [ranks[0], ranks.at(-1)].map((rank) =>
      valuesOf(sweep, LINE, metric, rank),
    )
    return pairedEffect(last!, first!)
  }
  const end = valuesOf(sweep, LINE, metric, axes['rank'])
  const [base] = valuesOf(sweep, 'base', metric)
  return pairedEffect(
    end,
    end.map(() => base!),
  )
}

const powerAt = ({ power }: DescentRow, height: number) =>
  power.find((each) => each.height === height)?.power.toFixed(2) ?? '–'

export function courseTable(sweep: Sweep): string {
  const head = [
    ...['Measure', 'along', 'course', 'change, points (95 %)', 'p of a low', 'p of a peak'],
    ...['p of both by Holm', 'power at 1 / 2 sd'],
  ]
  const rates = sweep.descents.filter(({ metric, line }) => /^house/u.test(metric) && line === LINE)
  const pairs = Map.groupBy(rates, ({ metric, axis, axes }) => JSON.stringify([metric, axis, axes]))
  const rows = [...pairs.values()].map((both) => {
    const [low, peak] = (['valley', 'peak'] as const).map((shape) =>
      both.find((row) => row.shape === shape),
    )
    const change = changeOf(sweep, low!)
    const at = Object.entries(low!.axes).map(([name, value]) => `, ${name} ${value}`)
    return [
      ...[low!.metric, `${low!.axis}${at.join('')}`, `**${courseOf(low!, peak!, change)}**`],
      [change.difference, change.lower, change.upper].map(signed).join(' / '),
      ...[digits(low!.pValue), digits(peak!.pValue)],
      [low!, peak!].map(({ adjusted }) => digits(adjusted ?? null)).join(' / '),
      [1, 2].map((height) => powerAt(low!, height)).join(' / '),
    ]
  })
  return tableOf(head, rows)
}
