/**
 * @file Logs of other tools, entry by entry, as a tool or somebody with an editor could have written them. A row that says no reply
 * gets one of the log's model; `model: null` leaves it without.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipOf } from '../../../evals/interchange/zip-write.ts'
import { freshFolder } from '../runs/command-line.ts'
import { anotherModel, saidBy } from './own-words.ts'

type Row = Readonly<Record<string, unknown>>

const lines = (rows: readonly Row[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('')

type Model = string | null

/** Of a row whose reply is not written down. */
const replied = (model: Model, prompt: unknown, as: (text: string) => Row): Row =>
  model === null ? {} : as(saidBy(model, prompt))

interface LmEval {
  readonly model?: Model
  /** By task; of null there is no file. */
  readonly samples: Readonly<Record<string, readonly Row[] | null>>
  readonly size?: number
  readonly config?: Row
  readonly said?: Row
  readonly time?: string
  readonly folder?: string
}

export function rawLmEval(log: LmEval): string {
  const { samples, size, config = {}, said, time = '2026-01-01', folder = freshFolder() } = log
  const { model = anotherModel() } = log
  const toldIn = (row: Row) => ({
    ...replied(model, row['doc_id'], (text) => ({ resps: [[text]] })),
    ...row,
  })
  const by = (value: (rows: readonly Row[] | null) => unknown) =>
    Object.fromEntries(Object.entries(samples).map(([task, rows]) => [task, value(rows)]))
  const results = {
    results: by(() => ({})),
    configs: by(() => config),
    task_hashes: by(() => 'hash'),
    'n-samples': by((rows) => ({ effective: size ?? rows?.length })),
    ...said,
  }
  writeFileSync(join(folder, `results_${time}.json`), JSON.stringify(results))
  for (const [task, rows] of Object.entries(samples))
    if (rows) writeFileSync(join(folder, `samples_${task}_${time}.jsonl`), lines(rows.map(toldIn)))
  return folder
}

interface Inspect {
  readonly model?: Model
  readonly samples: readonly Row[]
  readonly spec?: Row
  readonly header?: Row
}

export async function rawInspect(log: Inspect): Promise<string> {
  const { samples, spec, header, model = anotherModel() } = log
  const path = join(freshFolder(), 'log.eval')
  const known = { run_id: 'r', task: 'task', model: 'm', dataset: { samples: samples.length } }
  const text = JSON.stringify({
    ...{ version: 2, status: 'success', eval: { ...known, ...spec } },
    ...header,
  })
  const entries = samples.map((row, i) => ({
    name: `samples/${i}.json`,
    text: JSON.stringify({ ...row, output: outputOf(row, model) }),
  }))
  writeFileSync(path, Buffer.concat(await zipOf([{ name: 'header.json', text }, ...entries])))
  return path
}

function outputOf({ id, epoch, output }: Row, model: Model): unknown {
  const own = output as Row | undefined
  return {
    ...{ choices: [], ...replied(model, [id, epoch], (completion) => ({ completion })) },
    ...own,
  }
}

interface Eee {
  readonly model?: Model
  readonly results: readonly Row[]
  readonly samples: readonly Row[]
  readonly said?: Row
}

export function rawEee({ results, samples, said, model = anotherModel() }: Eee): string {
  const toldIn = (row: Row) => ({
    ...replied(model, row['sample_id'], (text) => ({ output: { raw: [text] } })),
    ...row,
  })
  const folder = join(freshFolder(), 'eee')
  mkdirSync(folder)
  const log = {
    schema_version: '0.3.0',
    evaluation_id: 'someone/task',
    model_info: { id: 'a/m' },
    evaluation_results: results,
    ...said,
  }
  writeFileSync(join(folder, 'log.json'), JSON.stringify(log))
  writeFileSync(join(folder, 'log_samples.jsonl'), lines(samples.map(toldIn)))
  return join(folder, 'log.json')
}

interface Garak {
  readonly model?: Model
  readonly attempts: readonly Row[]
  readonly setup?: Row
  readonly init?: Row
}

/** Each output as its model words it. */
function attempted(row: Row, model: Model): Row {
  if (row['entry_type'] !== 'attempt' || model === null) return row
  const outputs = (row['outputs'] ?? ['']) as readonly unknown[]
  return {
    ...row,
    outputs: outputs.map((output) => `${String(output)} ${saidBy(model, row['uuid'])}`),
  }
}

export function rawGarak({ attempts, setup, init, model = anotherModel() }: Garak): string {
  const told = attempts.map((row) => attempted(row, model))
  const path = join(freshFolder(), 'log.report.jsonl')
  const first = { entry_type: 'start_run setup', 'run.eval_threshold': 0.5, ...setup }
  writeFileSync(path, lines([first, { entry_type: 'init', run: 'r', ...init }, ...told]))
  return path
}

export function rawPromptfoo(
  rows: readonly Row[],
  stats?: Row,
  model: Model = anotherModel(),
  config: Row = {},
): string {
  const results = rows.map((row, i) => ({
    ...replied(model, i, (output) => ({ response: { output } })),
    ...row,
  }))
  const path = join(freshFolder(), 'out.json')
  const log = {
    evalId: 'e',
    results: { version: 3, results, stats },
    config: { description: 'task', ...config },
  }
  writeFileSync(path, JSON.stringify(log, null, 1))
  return path
}
