/** @file Numbers of whole transcripts: the mean over windows, the first window alone, and two baselines without a network. */
import { fitLogistic } from '../../../statistics/classify/logistic.ts'
import {
  auroc,
  f1,
  matthews,
  roc,
  type Confusion,
} from '../../../statistics/classify/two-classes.ts'
import type { LineChart } from '../../../contract/document/charts.ts'
import type { Ask } from '../../../measure/ask.ts'
import type { MeasuredRow, TaskMeasure, TaskNumber } from '../task.ts'
import { gcContent, kmerShares, longestFrame } from './sequence.ts'
import { KINDS, type Transcript } from './transcripts.ts'
import { windowsOf } from './windows.ts'

interface OfGroup {
  readonly transcript: Transcript
  readonly group: string
}

const POSITIVE = KINDS.indexOf('mRNA')
const isPositive = ({ kind }: Transcript) => kind === KINDS[POSITIVE]

/** Penalties of the baselines: two columns need hardly any, 4,096 one that keeps them from learning rows by heart. */
const PENALTY = { frame: 1e-4, sixMers: 1 }
const SIX = 6

const frameColumns = ({ sequence }: Transcript) => [longestFrame(sequence), gcContent(sequence)]
const sixMerColumns = ({ sequence }: Transcript) => kmerShares(sequence, SIX)

/** Columns of a transcript's row. */
const [LABEL, MEAN, FIRST, FRAME, SIX_MERS] = [0, 1, 2, 3, 4]

type Rows = readonly (readonly number[])[]
const areaBy = (column: number) => (rows: Rows) =>
  auroc(rows.map((row) => [row[column]!, row[LABEL] === 1]))
const lessThan = (column: number) => (rows: Rows) => {
  const [own, other] = [areaBy(MEAN)(rows), areaBy(column)(rows)]
  return own === null || other === null ? null : own - other
}
const confusion = (rows: Rows): Confusion => {
  const count = (label: number, said: boolean) =>
    rows.filter((row) => row[LABEL] === label && row[MEAN]! > 0 === said).length
  return { tp: count(1, true), tn: count(0, false), fp: count(0, true), fn: count(1, false) }
}

const number = (name: string, title: string, of: TaskNumber['of']): TaskNumber => ({
  name,
  title,
  unit: '',
  better: 'higher',
  of,
})

const NUMBERS = [
  number('rna-auroc', 'AUROC of transcripts, mean over windows', areaBy(MEAN)),
  number('rna-auroc-first', 'AUROC, first window alone', areaBy(FIRST)),
  number('rna-auroc-frame', 'AUROC less that of longest frame and GC content', lessThan(FRAME)),
  number('rna-auroc-six-mers', 'AUROC less that of 6-mers', lessThan(SIX_MERS)),
  number('rna-f1', 'F1 of mRNA', (rows) => f1(confusion(rows))),
  number('rna-mcc', 'Matthews correlation', (rows) => matthews(confusion(rows))),
]

/** Of held-out transcripts; the baselines learn from `learnt`. */
export function transcriptMeasure(
  heldOut: readonly OfGroup[],
  learnt: readonly OfGroup[],
): TaskMeasure {
  let baselines: number[][] | undefined
  /** Of each state that was asked. */
  const known = new WeakMap<Ask, Promise<MeasuredRow[]>>()
  const rowsBy = (ask: Ask) => {
    baselines ??= baselineScores(heldOut, learnt)
    const rows = known.get(ask) ?? rowsOf(ask, heldOut, baselines)
    known.set(ask, rows)
    return rows
  }
  return {
    name: 'transcripts',
    numbers: NUMBERS,
    rows: rowsBy,
    pictures: async (ask) => curvesOf((await rowsBy(ask)).map(({ numbers }) => numbers)),
  }
}

/** Scores of each held-out transcript by longest frame and GC content, and by 6-mers. */
function baselineScores(heldOut: readonly OfGroup[], learnt: readonly OfGroup[]): number[][] {
  const positive = learnt.map(({ transcript }) => isPositive(transcript))
  const baseline = (columns: (transcript: Transcript) => number[], penalty: number) => {
    const rows = learnt.map(({ transcript }) => columns(transcript))
    const { score } = fitLogistic(rows, positive, penalty)
    return (transcript: Transcript) => score(columns(transcript))
  }
  const frame = baseline(frameColumns, PENALTY.frame)
  const sixMers = baseline(sixMerColumns, PENALTY.sixMers)
  return heldOut.map(({ transcript }) => [frame(transcript), sixMers(transcript)])
}

async function rowsOf(
  ask: Ask,
  heldOut: readonly OfGroup[],
  baselines: readonly (readonly number[])[],
): Promise<MeasuredRow[]> {
  const windows = heldOut.map(({ transcript }) => windowsOf(transcript.sequence))
  const outputs = await ask('classes', windows.flat())
  let next = 0
  return heldOut.map(({ transcript, group }, i) => {
    const own = outputs.slice(next, (next += windows[i]!.length))
    const odds = own.map((logits) => logits[POSITIVE]! - logits[1 - POSITIVE]!)
    const mean = odds.reduce((sum, value) => sum + value, 0) / odds.length
    const label = Number(isPositive(transcript))
    return { unit: group, numbers: [label, mean, odds[0]!, ...baselines[i]!] }
  })
}

/** ROC curves of the network and of both baselines. */
function curvesOf(rows: Rows): LineChart[] {
  const curve = (label: string, column: number, colour: number) => ({
    label,
    colour,
    dash: colour,
    isPlain: true,
    points: roc(rows.map((row) => [row[column]!, row[LABEL] === 1])).map(({ x, y }) => ({
      x: Number(x.toFixed(4)),
      y: Number(y.toFixed(4)),
    })),
  })
  return [
    {
      type: 'line-chart',
      title: 'mRNA found, by the share of lncRNA taken for it (ROC)',
      xLabel: 'share of lncRNA taken for mRNA',
      series: [
        curve('network, mean over windows', MEAN, 0),
        curve('longest frame and GC content', FRAME, 1),
        curve('shares of 6-mers', SIX_MERS, 2),
      ],
      range: [0, 1],
      format: 'percent',
    },
  ]
}
