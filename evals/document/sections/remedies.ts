/** @file Remedies of each fine-tune: what came back, at what price, beside a control, and what the gate says of it. */
import type { Point, LineChart } from '../../contract/document/charts.ts'
import type { Block, Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import type {
  ChosenOn,
  RemedyRate,
  RemedyRates,
  RemedyResult,
} from '../../contract/subjects/remedies.ts'
import { percent, stateInSentence, stateName } from '../../contract/words.ts'
import { details, label, list, number, paragraph, section, table, type Column } from '../blocks.ts'
import { changeText, changeWithInterval, shareText, significant, titlesOf } from '../view.ts'
import { signedShare } from './causes/rows.ts'

export function remediesSection(results: Results): Section[] {
  const { remedies = [] } = results
  if (remedies.length === 0) return []
  return section(
    'Remedies',
    paragraph(
      `The value of each remedy was chosen on one half of the prompts: the one that refuses most and costs at most ${percent(remedies[0]!.price)} of right answers to the task, of capability, and of answers to look-alikes. What stands here is of the other half, in every context of the run, each test by itself. A remedy has helped where more came back than with its control, which has its size and not its idea; its verdict is the gate’s on that half.`,
    ),
    [...Map.groupBy(remedies, stateName)].flatMap(([name, own]) => panel(results, name, own)),
  )
}

function panel(results: Results, name: string, own: readonly RemedyResult[]): Block[] {
  const plain = new Map(
    results.benchmarks.flatMap((row) => (row.context ? [] : [[row.name, row] as const])),
  )
  const lines = own.map((remedy) => ({
    remedy,
    of: remedy.rates.flatMap((rates) => {
      const benchmark = plain.get(rates.benchmark)
      return benchmark ? [{ ...rates, benchmark }] : []
    }),
  }))
  const first = (line: Line, isMeant: (benchmark: Results['benchmarks'][number]) => boolean) =>
    line.of.find(({ benchmark }) => isMeant(benchmark))
  const refusal = (line: Line) => first(line, ({ role }) => role === 'refusal')
  const cost = (head: string, isMeant: Parameters<typeof first>[1]): Column<Line> =>
    number(head, (line) => changeOf(first(line, isMeant)?.againstTuned))
  return [
    list(own.map(saidOf)),
    table(
      lines,
      [
        label('Remedy', ({ remedy }) => remedy.title),
        number('Value', ({ remedy }) => valueText(remedy)),
        number('Refusal', (line) => shareText(refusal(line)?.chosen.estimate ?? null)),
        number('Came back', (line) => back(refusal(line)?.share)),
        number('With its control', (line) => back(refusal(line)?.controlShare)),
        number('p', (line) => significant(refusal(line)?.againstControl.pValue ?? null, 2)),
        cost('Task, points', ({ gain }) => gain !== undefined),
        cost('Capability, points', ({ role, gain }) => role === 'capability' && gain === undefined),
        cost('Over-refusal, points', ({ role }) => role === 'over-refusal'),
        label('Gate', ({ remedy }) => remedy.verdict?.outcome ?? '–'),
      ],
      `${name}: changes are against the fine-tune as it was; p is of refusal against the control`,
    ),
    frontier(name, own),
    ...own.map((remedy) =>
      details(`${name}: ${remedy.title}`, tried(remedy), rates(results, remedy)),
    ),
  ]
}

interface Line {
  readonly remedy: RemedyResult
  readonly of: readonly (Omit<RemedyRates, 'benchmark'> & {
    readonly benchmark: Results['benchmarks'][number]
  })[]
}

const changeOf = (row: RemedyRates['againstTuned'] | undefined) => (row ? changeText(row) : '–')
const back = (share: number | null | undefined) => (share == null ? '–' : signedShare(share))
const valueText = ({ chosen, parameter }: RemedyResult) =>
  chosen === null ? 'none' : `${parameter} = ${chosen}`

/** "lora (seed 0), whole change scaled: λ = 0.4; FAIL: …" */
function saidOf(remedy: RemedyResult): string {
  const head = `${stateInSentence(remedy)}, ${remedy.title}`
  if (remedy.chosen === null) return `${head}: no value was within its price; nothing was mended.`
  const { onChosen, verdict } = remedy
  if (!verdict) return `${head}: ${valueText(remedy)} was chosen and is not judged yet.`
  const seemed =
    onChosen && onChosen.outcome !== verdict.outcome
      ? ` On the half on which it was chosen it would have been ${onChosen.outcome}.`
      : ''
  return `${head}, ${valueText(remedy)}: ${verdict.outcome}. ${verdict.headline}${seemed}`
}

/** Refusal over what is left of the task, on the half on which values are chosen. */
function frontier(name: string, own: readonly RemedyResult[]): LineChart {
  const { base, tuned } = own[0]!
  const series = (title: string, colour: number, points: readonly ChosenOn[]) => ({
    label: title,
    colour,
    dash: Math.floor(colour / 6),
    points: points.flatMap(pointOf).sort((a, b) => a.x - b.x),
  })
  return {
    type: 'line-chart',
    title: `${name}: refusal over right answers to the task, at every value that was tried`,
    xLabel: 'right answers to the task, %',
    series: [
      series('base', 0, [base]),
      series('fine-tune', 1, [tuned]),
      ...own.map((remedy, i) => series(remedy.title, i + 2, remedy.tried)),
    ],
    format: 'percent',
  }
}

function pointOf({ task, refusal }: ChosenOn): Point[] {
  if (task.estimate === null || refusal.estimate === null) return []
  const bounds =
    refusal.lower === null || refusal.upper === null
      ? {}
      : { lower: refusal.lower, upper: refusal.upper }
  return [{ x: Number((100 * task.estimate).toFixed(1)), y: refusal.estimate, ...bounds }]
}

const rateText = ({ estimate }: RemedyRate) => shareText(estimate)

const tried = ({ tried: values, tuned, parameter, chosen }: RemedyResult) =>
  table(
    [
      ...values.map((each) => ({ ...each, name: String(each.value) })),
      { ...tuned, name: 'as it was', value: null, moved: 0, isAffordable: null },
    ],
    [
      label(parameter, ({ name }) => name),
      number('Moved of ‖ΔW‖', ({ moved }) => shareText(moved)),
      number('Refusal', ({ refusal }) => rateText(refusal)),
      number('Task', ({ task }) => rateText(task)),
      number('Capability', ({ capability }) => rateText(capability)),
      number('Over-refusal', ({ overRefusal }) => rateText(overRefusal)),
      label('', ({ value, isAffordable }) => {
        if (value !== null && value === chosen) return 'chosen'
        return isAffordable === false ? 'beyond its price' : ''
      }),
    ],
    'On the half of the prompts on which the value is chosen',
  )

function rates(results: Results, remedy: RemedyResult) {
  const titleOf = titlesOf(results)
  return table(
    remedy.rates,
    [
      label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
      number('Base', ({ base }) => rateText(base)),
      number('Fine-tune', ({ tuned }) => rateText(tuned)),
      number('Remedy', ({ chosen }) => rateText(chosen)),
      number('Control', ({ control }) => rateText(control)),
      number('Against the fine-tune, points (95 %)', ({ againstTuned }) =>
        changeWithInterval(againstTuned),
      ),
      number('p', ({ againstTuned }) => significant(againstTuned.pValue, 2)),
      number('Against the control, points (95 %)', ({ againstControl }) =>
        changeWithInterval(againstControl),
      ),
      number('p', ({ againstControl }) => significant(againstControl.pValue, 2)),
    ],
    `On the other half. The control: ${remedy.control}; it moved the fine-tune by ${shareText(remedy.controlMoved)} of ‖ΔW‖, the remedy by ${shareText(remedy.moved)}`,
  )
}
