/**
 * @file Numbers of a task beside its rates, as measurements of each state. Those of the base's units are kept in the workspace, so
 * that a change is that of the same units drawn together.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isBase, keyOf } from '../../contract/keys.ts'
import type { JobContext } from '../../contract/job.ts'
import type { SubjectKey } from '../../contract/rows.ts'
import type { TaskMeasured } from '../../contract/tasks/task-rows.ts'
import { exists, readJson } from '../../files/read-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import type { Subject } from '../../inference/subject.ts'
import { askOf, networkOf } from '../../measure/ask.ts'
import type { Measurement } from '../../measure/evaluate.ts'
import { bootstrap } from '../../statistics/bootstrap.ts'
import type { MeasuredRow, TaskMeasure, TaskNumber } from './task.ts'

/** Fixed, so that the same rows give the same report. */
const DRAWS = { seed: 0, resamples: 500 }

const Kept = z.object({
  rows: z.array(z.object({ unit: z.string(), numbers: z.array(z.number()) })),
})

/** @param last step of the training; reports show the base and it alone */
export const measurementsOf = (
  measures: readonly TaskMeasure[],
  workspace: string,
  last: number,
): Measurement[] =>
  measures.map((measure) => ({
    name: `measure-${measure.name}`,
    async run(subject, key, context) {
      if (isBase(key) || (key.step === last && !measure.ofBaseAlone))
        await run(measure, { subject, key, workspace }, context)
    },
  }))

interface MeasuredState {
  readonly subject: Subject
  readonly key: SubjectKey
  readonly workspace: string
}

async function run(
  measure: TaskMeasure,
  { subject, key, workspace }: MeasuredState,
  { emit, signal, flush }: JobContext,
): Promise<void> {
  const ask = askOf(subject, signal)
  const { arm, seed, step } = key
  const network = () => networkOf(subject)
  const rows = await measure.rows(ask, network)
  const before = await keptRows(join(workspace, 'measures', `${measure.name}.json`), key, rows)
  const pictures = await measure.pictures?.(ask, network)
  for (const [i, number] of measure.numbers.entries()) {
    const { name, title, unit, better } = number
    const content: TaskMeasured = {
      kind: 'task-measure',
      arm,
      seed,
      step,
      name,
      title,
      unit,
      better,
      ...summary(number, rows, before),
      ...(pictures && i === 0 && { pictures }),
    }
    const row = { role: `measure ${name}`, path: keyOf(arm, seed, step), digest: '', bytes: 0 }
    emit({ type: 'artifact', row: { ...row, content } })
  }
  const benchmark = `measure-${measure.name}`
  emit({ type: 'evaluation-end', subject: key, benchmark, samples: rows.length })
  flush()
}

/** The base's rows; undefined of the base itself. */
async function keptRows(path: string, key: SubjectKey, rows: readonly MeasuredRow[]) {
  if (!isBase(key)) return (await exists(path)) ? Kept.parse(await readJson(path)).rows : undefined
  await mkdir(join(path, '..'), { recursive: true })
  await writeAtomically(path, [JSON.stringify({ rows })])
  return undefined
}

const byUnit = (rows: readonly MeasuredRow[]) => Map.groupBy(rows, ({ unit }) => unit)

function summary(
  { of: statistic }: TaskNumber,
  rows: readonly MeasuredRow[],
  before: readonly MeasuredRow[] | undefined,
): Pick<TaskMeasured, 'n' | 'value' | 'lower' | 'upper' | 'change'> {
  const groups = byUnit(rows)
  const units = [...groups.keys()]
  const drawnFrom = (from: ReadonlyMap<string, readonly MeasuredRow[]>) => {
    const ofUnit = units.map((unit) => (from.get(unit) ?? []).map(({ numbers }) => numbers))
    return (drawn: Uint32Array) => statistic([...drawn].flatMap((i) => ofUnit[i]!))
  }
  const after = drawnFrom(groups)
  const interval = (of: Statistic) => {
    const { estimate: value, lower, upper } = bootstrap(units.length, of, DRAWS)
    return { value, lower, upper }
  }
  const earlier = before && drawnFrom(byUnit(before))
  const change = earlier && interval((drawn) => difference(after(drawn), earlier(drawn)))
  return { n: units.length, ...interval(after), change: change ?? null }
}

type Statistic = Parameters<typeof bootstrap>[1]

const difference = (after: number | null, before: number | null) =>
  after === null || before === null ? null : after - before
