/** @file Logs of other tools, entry by entry, as a tool or somebody with an editor could have written them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipOf } from '../../../evals/interchange/zip-write.ts'
import { freshFolder } from '../runs/command-line.ts'

type Row = Readonly<Record<string, unknown>>

const lines = (rows: readonly Row[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('')

interface LmEval {
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
    if (rows) writeFileSync(join(folder, `samples_${task}_${time}.jsonl`), lines(rows))
  return folder
}

interface Inspect {
  readonly samples: readonly Row[]
  readonly spec?: Row
  readonly header?: Row
}

export async function rawInspect({ samples, spec, header }: Inspect): Promise<string> {
  const path = join(freshFolder(), 'log.eval')
  const known = { run_id: 'r', task: 'task', model: 'm', dataset: { samples: samples.length } }
  const text = JSON.stringify({
    ...{ version: 2, status: 'success', eval: { ...known, ...spec } },
    ...header,
  })
  const entries = samples.map((row, i) => ({
    name: `samples/${i}.json`,
    text: JSON.stringify(row),
  }))
  writeFileSync(path, Buffer.concat(await zipOf([{ name: 'header.json', text }, ...entries])))
  return path
}

interface Eee {
  readonly results: readonly Row[]
  readonly samples: readonly Row[]
  readonly said?: Row
}

export function rawEee({ results, samples, said }: Eee): string {
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
  writeFileSync(join(folder, 'log_samples.jsonl'), lines(samples))
  return join(folder, 'log.json')
}

interface Garak {
  readonly attempts: readonly Row[]
  readonly setup?: Row
  readonly init?: Row
}

export function rawGarak({ attempts, setup, init }: Garak): string {
  const path = join(freshFolder(), 'log.report.jsonl')
  const first = { entry_type: 'start_run setup', 'run.eval_threshold': 0.5, ...setup }
  writeFileSync(path, lines([first, { entry_type: 'init', run: 'r', ...init }, ...attempts]))
  return path
}

export function rawPromptfoo(results: readonly Row[], stats?: Row): string {
  const path = join(freshFolder(), 'out.json')
  const log = {
    evalId: 'e',
    results: { version: 3, results, stats },
    config: { description: 'task' },
  }
  writeFileSync(path, JSON.stringify(log, null, 1))
  return path
}
