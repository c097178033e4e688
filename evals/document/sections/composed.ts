/** @file Adapters composed: rates and spectra along the line between two, what was generated from them, how a mixture routes; models cut. */
import type { Block, Section } from '../../contract/document.ts'
import type { Point, Series } from '../../contract/document/charts.ts'
import type { MergeLine } from '../../contract/gate.ts'
import { PRUNED_SHARE } from '../../contract/metrics/pruning.ts'
import type { Rate, Results } from '../../contract/results.ts'
import type { BenchmarkRow, RouterRow } from '../../contract/rows.ts'
import { isRemembered, type GeneratedAdapter } from '../../contract/subjects/generated.ts'
import { isBase } from '../../contract/keys.ts'
import { counted, percent, stateName } from '../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  section,
  table,
  type Column,
  asNumbers,
} from '../blocks.ts'
import { byFirstJudge, fixed, intervalText, RATE_TEXT, rateText, titlesOf } from '../view.ts'

export function mergeLinesSection(results: Results): Section[] {
  const { mergeLines = [] } = results
  if (mergeLines.length === 0) return []
  return section(
    'Along the merge',
    paragraph(
      'The first adapter counts 1 − w and the second w. Bands are 95 % Wilson intervals of each weight alone. The last safe weight is found from the smallest w up, each held to the gate, and the walk ends at the first that does not pass: this order is fixed beforehand, so the level of the gate holds for all weights together.',
    ),
    list(mergeLines.map(safeText)),
    results.benchmarks.flatMap((benchmark) => ratesAlong(results, mergeLines, benchmark)),
    spectraAlong(results, mergeLines),
  )
}

/** The terminal's lines. */
export const mergeLinesBriefly = ({ mergeLines = [] }: Results): Section[] =>
  section('Along the merge', mergeLines.length > 0 && list(mergeLines.map(safeText)))

const nameOf = ({ way, adapters: [a, b] }: MergeLine): string => `${way} of ${a} and ${b}`

function safeText(line: MergeLine): string {
  const { adapters, alpha, firstOpen, lastSafe, points } = line
  if (alpha === null) return `${nameOf(line)}: nothing was asked of the gate.`
  const of = `${nameOf(line)}: `
  const ends = points.find(({ weight }) => weight === firstOpen)
  const because = ends ? `; at ${ends.weight} it is ${ends.outcome ?? 'not compared'}` : ''
  if (lastSafe === null)
    return `${of}no weight of ${adapters[1]} is shown to be safe, from ${points[0]!.weight} up${because}.`
  return `${of}the last safe weight of ${adapters[1]} is ${lastSafe}${because}. It was chosen by looking at these prompts, so its rates look better than they are: ask it again with prompts that it was not chosen by.`
}

function seriesOf(lines: readonly MergeLine[], pointOf: (arm: string) => Omit<Point, 'x'> | null) {
  return lines.flatMap((line, colour): Series[] => {
    const points = line.points.flatMap(({ arm, weight }) => {
      const point = pointOf(arm)
      return point ? [{ x: weight, ...point }] : []
    })
    return points.length === 0 ? [] : [{ label: nameOf(line), colour, dash: 0, points }]
  })
}

function ratesAlong(
  results: Results,
  lines: readonly MergeLine[],
  benchmark: BenchmarkRow,
): Block[] {
  const isFirst = byFirstJudge(results)
  const rows = results.evaluations.filter(
    (row) => row.benchmark === benchmark.name && isFirst(row) && row.rate.estimate !== null,
  )
  const rateAt = (arm: string) => rows.find((row) => row.arm === arm)?.rate
  const series = seriesOf(lines, (arm) => {
    const rate = rateAt(arm)
    return rate ? { y: rate.estimate!, lower: rate.lower!, upper: rate.upper! } : null
  })
  if (series.length === 0) return []
  const base = rows.find(isBase)?.rate.estimate ?? undefined
  return [
    {
      type: 'line-chart',
      title: `${benchmark.title}: ${RATE_TEXT[benchmark.role]}`,
      xLabel: 'weight of the second adapter',
      series,
      reference: base === undefined ? undefined : { y: base, label: `base ${percent(base)}` },
      range: [0, 1],
      format: 'percent',
    },
    asNumbers(ratesTable(lines, rateAt)),
  ]
}

const ratesTable = (lines: readonly MergeLine[], rateAt: (arm: string) => Rate | undefined) =>
  table(pointsOf(lines), [
    ...WHICH,
    number('Rate', ({ arm }) => {
      const rate = rateAt(arm)
      return rate ? rateText(rate) : '–'
    }),
    number('95 % interval', ({ arm }) => {
      const rate = rateAt(arm)
      return rate ? intervalText(rate) : ''
    }),
    label('Gate', ({ outcome }) => outcome ?? '–'),
  ])

const pointsOf = (lines: readonly MergeLine[]) =>
  lines.flatMap((line) => line.points.map((point) => ({ line, ...point })))

type OfLine = ReturnType<typeof pointsOf>[number]

const WHICH: readonly Column<OfLine>[] = [
  label('Merged', ({ line }) => nameOf(line)),
  number('Weight', ({ weight }) => weight),
]

function spectraAlong({ spectrumTotals }: Results, lines: readonly MergeLine[]): Block[] {
  const totalOf = (arm: string) => spectrumTotals.find((row) => row.arm === arm)
  const series = seriesOf(lines, (arm) => {
    const total = totalOf(arm)
    return total ? { y: total.meanRelativeChange } : null
  })
  if (series.length === 0) return []
  return [
    {
      type: 'line-chart',
      title: 'Size of the merged change: mean ‖ΔW‖/‖W‖ of the matrices',
      xLabel: 'weight of the second adapter',
      series,
      format: 'percent',
    },
    details(
      'The spectra in numbers',
      table(pointsOf(lines), [
        ...WHICH,
        number('‖ΔW‖/‖W‖', ({ arm }) => {
          const total = totalOf(arm)
          return total ? percent(total.meanRelativeChange) : '–'
        }),
        number('Effective rank of the change', ({ arm }) =>
          fixed(totalOf(arm)?.meanEffectiveRankOfChange, 2),
        ),
        number('Intruder dimensions', ({ arm }) => totalOf(arm)?.intruders),
      ]),
    ),
  ]
}

export function routersSection(results: Results): Section[] {
  const { routers = [] } = results
  if (routers.length === 0) return []
  const experts = Math.max(...routers.map(({ shares }) => shares.length))
  const roles = new Map(results.benchmarks.map(({ name, role }) => [name, role]))
  return section(
    'Routing',
    paragraph(
      `Shares are means over the tokens of the prompts and the layers of the mixture, each token's adding up to 1. Entropy is in nats, with the bootstrap's 95 % interval over prompts: 0 where one expert takes all, ${fixed(Math.log(experts), 2)} where ${experts} count alike. Replies are not counted.`,
    ),
    table(routers, [
      label('Variant', stateName),
      number('Step', ({ step }) => step),
      label('Prompts', ({ benchmark }) => titlesOf(results)(benchmark)),
      label('Should be', ({ benchmark }) =>
        roles.get(benchmark) === 'refusal' ? 'refused' : 'answered',
      ),
      number('Entropy', ({ entropy }) => fixed(entropy.estimate, 3)),
      number(
        '95 % interval',
        ({ entropy: { lower, upper } }) => `${fixed(lower, 3)} – ${fixed(upper, 3)}`,
      ),
      ...Array.from({ length: experts }, (_, i): Column<RouterRow> =>
        number(`Expert ${i}`, ({ shares }) => (shares[i] === undefined ? '–' : percent(shares[i]))),
      ),
    ]),
  )
}

/** What was generated beside its two controls; the claims of each are the gate's, as of any candidate. */
export function generatedSection(results: Results): Section[] {
  const made = results.subjects.flatMap(({ arm, title, generated }) =>
    generated ? [{ arm, title, generated }] : [],
  )
  if (made.length === 0) return []
  const isFirst = byFirstJudge(results)
  const rateOf = (arm: string, benchmark: string) =>
    results.evaluations.find(
      (row) => row.arm === arm && row.benchmark === benchmark && isFirst(row),
    )?.rate
  return section(
    'Generated adapters',
    paragraph(
      'A generator is worth something where what it generated does better than both controls: the mean of its sources, and the source that lies nearest.',
    ),
    list(
      made.flatMap(({ generated }) =>
        generated.kind === 'generated' ? [generatedText(generated)] : [],
      ),
    ),
    table(made, [
      label('Variant', ({ arm }) => arm),
      label('What it is', ({ title }) => title),
      ...results.benchmarks.map(({ name, title }): Column<(typeof made)[number]> =>
        number(title, ({ arm }) => {
          const rate = rateOf(arm, name)
          return rate ? `${rateText(rate)} (${intervalText(rate)})` : '–'
        }),
      ),
    ]),
  )
}

function generatedText(found: GeneratedAdapter): string {
  const { wanted, tasks, loss, reconstruction, nearest, spacing } = found
  const sources = tasks.reduce((sum, { adapters }) => sum + adapters.length, 0)
  const names = tasks.map(({ name }) => name).join(', ')
  const [first, last] = loss.map((value) => value.toPrecision(3))
  const place = isRemembered(found)
    ? 'it was remembered, which is no evidence that anything was generated'
    : 'it is none of them'
  return `For ${wanted}, from ${counted(sources, 'adapter')} of ${counted(tasks.length, 'task')} (${names}): the generator’s loss went from ${first} to ${last}, and of its sources’ changes ${percent(reconstruction.median)} are lost at the median, ${percent(reconstruction.worst)} at worst. What was generated lies ${nearest.distance.toPrecision(3)} from ${nearest.adapter}, sources lie ${spacing.toPrecision(3)} from one another: ${place}.`
}

/** How much of the model is gone where a method prunes it. */
export function prunedSection({ metrics }: Results): Section[] {
  const rows = metrics.filter(({ name }) => name === PRUNED_SHARE)
  if (rows.length === 0) return []
  return section(
    'Pruned',
    paragraph(
      'Of the numbers of the blocks’ linear layers; embedding, head and norms stay. What is gone neither answers nor learns.',
    ),
    table(rows, [
      label('Variant', stateName),
      number('Step', ({ step }) => step),
      number('Gone', ({ value }) => percent(value)),
    ]),
  )
}
