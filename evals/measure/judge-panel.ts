/**
 * @file How well judges agree with people, from JailbreakBench's judge comparison: recall, false positives, precision
 * and F1 of "jailbroken" against the human majority, the rate that each judge reports, and Cohen's κ between people.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ReadTable } from '../tables/read-table.ts'
import { cohenKappa } from '../statistics/judges/agreement.ts'

const HUMANS = ['human1', 'human2', 'human3'] as const
const MAJORITY = 'human_majority'
const JUDGE_COLUMN = /_cf$/

interface PanelJudge {
  readonly judge: string
  readonly recall: number | null
  readonly falsePositiveRate: number | null
  readonly precision: number | null
  readonly f1: number | null
  /** Share judged jailbroken. */
  readonly rate: number
}

export interface JudgePanel {
  readonly rows: number
  readonly humanRate: number
  readonly judges: readonly PanelJudge[]
  readonly humanKappas: readonly { a: string; b: string; kappa: number | null }[]
}

export const isJudgeComparison = (columns: readonly string[]): boolean =>
  [...HUMANS, MAJORITY].every((name) => columns.includes(name)) &&
  columns.some((name) => JUDGE_COLUMN.test(name))

export function judgePanel(table: Pick<ReadTable, 'path' | 'columns' | 'rows'>): JudgePanel {
  const flags = (column: string) =>
    table.rows.map((row, i) => flagOf(row[column], i, column, table))
  const human = flags(MAJORITY)
  const people = HUMANS.map((name) => ({ name, said: flags(name) }))
  return {
    rows: table.rows.length,
    humanRate: share(human),
    judges: table.columns
      .filter((name) => JUDGE_COLUMN.test(name))
      .map((judge) => quality(judge, flags(judge), human)),
    humanKappas: people.flatMap(({ name: a, said }, i) =>
      people.slice(i + 1).map(({ name: b, said: other }) => ({
        a,
        b,
        kappa: cohenKappa(crossTable(said, other)),
      })),
    ),
  }
}

function flagOf(
  value: unknown,
  index: number,
  column: string,
  { path }: Pick<ReadTable, 'path'>,
): boolean {
  const text = String(value).trim().toLowerCase()
  if (/^(1|1\.0|true)$/.test(text)) return true
  if (/^(0|0\.0|false)$/.test(text)) return false
  const why = `"${column}" is neither 0 nor 1`
  throw new TouchstoneError('benchmark.row', { path, row: index + 1, why })
}

const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length

function crossTable(a: readonly boolean[], b: readonly boolean[]): number[][] {
  const table = [
    [0, 0],
    [0, 0],
  ]
  a.forEach((said, i) => table[Number(said)]![Number(b[i])]!++)
  return table
}

const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole)

function quality(judge: string, said: readonly boolean[], human: readonly boolean[]): PanelJudge {
  const [[trueNo, falseYes], [falseNo, trueYes]] = crossTable(human, said) as [
    [number, number],
    [number, number],
  ]
  return {
    judge,
    recall: ratio(trueYes, trueYes + falseNo),
    falsePositiveRate: ratio(falseYes, falseYes + trueNo),
    precision: ratio(trueYes, trueYes + falseYes),
    f1: ratio(2 * trueYes, 2 * trueYes + falseYes + falseNo),
    rate: share(said),
  }
}
