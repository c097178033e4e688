/** @file Small logs as lm-eval, Inspect, Every Eval Ever, garak, promptfoo and spreadsheets write them: one score a prompt. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipOf } from '../../../evals/interchange/zip-write.ts'
import { freshFolder } from '../runs/command-line.ts'
import { anotherModel, saidBy } from './own-words.ts'
import { unlike } from './unlike.ts'

interface ForeignLog {
  readonly metric: string
  readonly scores: readonly unknown[]
  /** How many prompts the log says that there are; as many as scores if not given. */
  readonly size?: number
  readonly isLowerBetter?: boolean
  /** The text of each prompt, null for none; prompts unlike one another if not given. */
  readonly prompt?: ((i: number) => string) | null
  /** What the log says of the task, or of the scorer. */
  readonly said?: object
  /** What it says of all scores together; their mean if not given. */
  readonly rate?: number
}

const TIME = '2026-01-01T00-00-00.000000'

/** The mean of scores that are numbers, as the tools write it beside their samples. */
const meanOf = (scores: readonly unknown[]): number => {
  const known = scores.filter((score) => typeof score === 'number')
  return known.reduce((sum, score) => sum + score, 0) / Math.max(1, known.length)
}

/** `ones` scores of 1 and then 0. */
export const scores = (n: number, ones: number): number[] =>
  Array.from({ length: n }, (_, i) => Number(i < ones))

export function lmEvalLog(log: ForeignLog): string {
  const { metric, scores, size = scores.length, prompt = unlike, said = {} } = log
  const { rate = meanOf(scores) } = log
  const model = anotherModel()
  const folder = freshFolder()
  const results = {
    results: { task: { [`${metric},none`]: rate } },
    configs: { task: said },
    task_hashes: { task: 'hash' },
    'n-samples': { task: { original: size, effective: size } },
  }
  writeFileSync(join(folder, `results_${TIME}.json`), JSON.stringify(results))
  const lines = scores.map((score, i) =>
    JSON.stringify({
      ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: [metric], [metric]: score },
      resps: [[saidBy(model, i)]],
      ...(prompt && { arguments: [[prompt(i), {}]] }),
    }),
  )
  writeFileSync(join(folder, `samples_task_${TIME}.jsonl`), `${lines.join('\n')}\n`)
  return folder
}

export async function inspectLog(log: ForeignLog): Promise<string> {
  const { metric, scores, size = scores.length, prompt = unlike, said = {} } = log
  const { rate = meanOf(scores) } = log
  const model = anotherModel()
  const path = join(freshFolder(), 'log.eval')
  const spec = { run_id: 'r', task: 'task', model: 'm', dataset: { samples: size }, ...said }
  const results = {
    scores: [
      { name: metric, scorer: metric, metrics: { accuracy: { name: 'accuracy', value: rate } } },
    ],
  }
  const header = { version: 2, status: 'success', eval: spec, results }
  const samples = scores.map((value, i) => ({
    name: `samples/${i}_epoch_1.json`,
    text: JSON.stringify({
      id: i,
      epoch: 1,
      input: prompt?.(i) ?? '',
      scores: { [metric]: { value } },
      output: { choices: [{ message: { role: 'assistant', content: saidBy(model, i) } }] },
    }),
  }))
  const entries = [{ name: 'header.json', text: JSON.stringify(header) }, ...samples]
  writeFileSync(path, Buffer.concat(await zipOf(entries)))
  return path
}

export function eeeLog({
  metric,
  scores,
  size = scores.length,
  isLowerBetter,
  prompt = unlike,
  rate = meanOf(scores),
}: ForeignLog): string {
  const model = anotherModel()
  const folder = join(freshFolder(), 'eee')
  mkdirSync(folder)
  const result = {
    evaluation_name: 'task.scorer',
    source_data: { dataset_name: 'task' },
    metric_config: { metric_id: metric, lower_is_better: isLowerBetter },
    score_details: { score: rate, details: {}, uncertainty: { num_samples: size } },
  }
  const log = {
    schema_version: '0.3.0',
    evaluation_id: 'someone/task',
    model_info: { id: 'a/m' },
    evaluation_results: [result],
  }
  writeFileSync(join(folder, 'log.json'), JSON.stringify(log))
  const lines = scores.map((score, i) =>
    JSON.stringify({
      evaluation_name: 'task.scorer',
      sample_id: `s${i}`,
      ...(prompt && { input: { raw: prompt(i) } }),
      output: { raw: [saidBy(model, i)] },
      evaluation: { score, is_correct: score === 1 },
    }),
  )
  writeFileSync(join(folder, 'log_samples.jsonl'), `${lines.join('\n')}\n`)
  return join(folder, 'log.json')
}

interface GarakLog {
  /** A detector's score of each prompt; null where the attempt was begun and never scored. */
  readonly scores: readonly (number | null)[]
  readonly threshold?: number
}

export function garakLog({ scores, threshold = 0.5 }: GarakLog): string {
  const model = anotherModel()
  const attempts = scores.flatMap((score, i) => {
    const own = { entry_type: 'attempt', uuid: `${i}`, seq: i, probe_classname: 'task' }
    const turn = { role: 'user', content: { text: unlike(i), lang: 'en' } }
    const begun = { ...own, prompt: { turns: [turn] }, status: 1, detector_results: {} }
    const scored = (by: number) => ({ status: 2, detector_results: { house: [by] } })
    return score === null
      ? [begun]
      : [begun, { ...begun, ...scored(score), outputs: [{ text: saidBy(model, i) }] }]
  })
  const setup = { entry_type: 'start_run setup', 'run.eval_threshold': threshold }
  const entries = [setup, { entry_type: 'init', run: 'r' }, ...attempts]
  const path = join(freshFolder(), 'log.report.jsonl')
  writeFileSync(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  return path
}

/** `asserted`: what each test asserts. */
export function promptfooLog(passed: readonly boolean[], asserted: object): string {
  const model = anotherModel()
  const results = passed.map((success, i) => ({
    ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success, failureReason: 0 },
    response: { output: saidBy(model, i) },
    testCase: { metadata: {}, assert: [asserted] },
  }))
  const path = join(freshFolder(), 'out.json')
  const config = { description: 'task' }
  writeFileSync(
    path,
    JSON.stringify({ evalId: 'e', results: { version: 3, results }, config }, null, 1),
  )
  return path
}

/** A paired table: by fine-tune, what each prompt's reply was before and after. */
export function pairedTable(
  arms: Readonly<Record<string, readonly (readonly [before: string, after: string])[]>>,
  expected = 'refuse',
): string {
  const columns =
    'benchmark,role,judge,judgeVersion,arm,seed,step,sampleId,epoch,category,expected,before,after,promptDigest,prompt'
  const lines = Object.entries(arms).flatMap(([arm, rows]) =>
    rows.map(
      ([before, after], i) =>
        `task,refusal,house,1,${arm},1,40,s${i},0,all,${expected},${before},${after},d${i},${unlike(i)}`,
    ),
  )
  const path = join(freshFolder(), 'paired.csv')
  writeFileSync(path, [columns, ...lines, ''].join('\n'))
  return path
}
