/** @file Small logs as lm-eval, Inspect and Every Eval Ever write them: one metric, one score a prompt. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipOf } from '../../../evals/interchange/zip-write.ts'
import { freshFolder } from '../runs/command-line.ts'

interface ForeignLog {
  readonly metric: string
  readonly scores: readonly unknown[]
  /** How many prompts the log says that there are; as many as scores if not given. */
  readonly size?: number
  readonly isLowerBetter?: boolean
}

const TIME = '2026-01-01T00-00-00.000000'

/** `ones` scores of 1 and then 0. */
export const scores = (n: number, ones: number): number[] =>
  Array.from({ length: n }, (_, i) => Number(i < ones))

export function lmEvalLog({ metric, scores, size = scores.length }: ForeignLog): string {
  const folder = freshFolder()
  const results = {
    results: { task: { [`${metric},none`]: 0 } },
    configs: { task: {} },
    task_hashes: { task: 'hash' },
    'n-samples': { task: { original: size, effective: size } },
  }
  writeFileSync(join(folder, `results_${TIME}.json`), JSON.stringify(results))
  const lines = scores.map((score, i) =>
    JSON.stringify({ doc_id: i, doc_hash: `doc-${i}`, metrics: [metric], [metric]: score }),
  )
  writeFileSync(join(folder, `samples_task_${TIME}.jsonl`), `${lines.join('\n')}\n`)
  return folder
}

export async function inspectLog(log: ForeignLog): Promise<string> {
  const { metric, scores, size = scores.length } = log
  const path = join(freshFolder(), 'log.eval')
  const spec = { run_id: 'r', task: 'task', model: 'm', dataset: { samples: size } }
  const header = { version: 2, status: 'success', eval: spec }
  const samples = scores.map((value, i) => ({
    name: `samples/${i}_epoch_1.json`,
    text: JSON.stringify({ id: i, epoch: 1, input: `p ${i}`, scores: { [metric]: { value } } }),
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
}: ForeignLog): string {
  const folder = join(freshFolder(), 'eee')
  mkdirSync(folder)
  const result = {
    evaluation_name: 'task.scorer',
    source_data: { dataset_name: 'task' },
    metric_config: { metric_id: metric, lower_is_better: isLowerBetter },
    score_details: { details: {}, uncertainty: { num_samples: size } },
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
      evaluation: { score, is_correct: score === 1 },
    }),
  )
  writeFileSync(join(folder, 'log_samples.jsonl'), `${lines.join('\n')}\n`)
  return join(folder, 'log.json')
}
