/**
 * @file Reads a folder of lm-evaluation-harness: the newest `results_*.json` and the `samples_*.jsonl` written with it.
 * Documents are paired by `doc_hash`; equal documents by their order.
 */
import { linesOf, malformedLog, parsedLog, parseForeignJson, readLogJson } from './log-file.ts'
import { readdir } from 'node:fs/promises'
import { dirname, join, basename } from 'node:path'
import { z } from 'zod'
import { keyOf } from '../contract/keys.ts'
import { sha256 } from '../files/digest.ts'
import { isFolder } from '../files/read-file.ts'
import { BENCHMARK_ROLES } from '../contract/rows.ts'
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
} from '../findings/gate/compared-run.ts'
import {
  clusterIn,
  createCollector,
  createWordings,
  epochCounter,
  isOutcome,
  numberOr,
  refuseUndecided,
  requireMean,
  requireOnce,
  requireSameOutcome,
  scoredAs,
  shown,
  weightsIn,
} from './imported.ts'
import { benchmarkOf, isOurs, recordOr, Results, templateOf } from './lm-eval/asked.ts'
import {
  isLeftOut,
  isShare,
  meaningOf,
  meaningOfRole,
  outcomeOfScore,
  roleOf,
  type Metrics,
} from './metrics.ts'

const RESULTS = /^results_(?<time>.+)\.json$/
const LARGEST_RESULTS = 256 * 2 ** 20

const Sample = z.looseObject({
  doc_id: z.union([z.int(), z.string()]),
  doc: z.unknown().optional(),
  doc_hash: z.string().nullish(),
  prompt_hash: z.string().nullish(),
  target_hash: z.string().nullish(),
  filter: z.string().optional(),
  metrics: z.array(z.string()).optional(),
  arguments: z.unknown().optional(),
})
type Sample = z.infer<typeof Sample>

/** `path` is the folder, or the results file itself. */
export async function readLmEval(path: string, metrics: Metrics): Promise<ComparedRun> {
  const { folder, time, earlier } = await locate(path)
  const file = join(folder, `results_${time}.json`)
  const read = await readLogJson(file, LARGEST_RESULTS)
  const results = parsedLog(Results, read, file, 'results of lm-eval')
  const benchmarks: ComparedBenchmark[] = []
  const judged: ComparedJudgement[] = []
  const wordings = createWordings()
  const names = (await readdir(folder)).sort()
  refuseLeftOut(names, { folder, time, earlier })
  const left = new Set([...Object.keys(results['n-samples']), ...measuredTasks(results)])
  for (const name of names) {
    const task = taskOf(name, time)
    if (task === undefined) continue
    const found = await readSamples(join(folder, name), { task, results, metrics, wordings })
    if (found === 'empty') continue
    left.delete(task)
    if (found.length === 0) continue
    benchmarks.push(benchmarkOf(task, found[0]!.role, results))
    judged.push(...found)
  }
  // A task of which no sample is there is not measured, and stays a question.
  if (benchmarks.length > 0)
    benchmarks.push(...[...left].map((task) => benchmarkOf(task, 'capability', results)))
  if (benchmarks.length === 0) {
    const expected = `samples_*_${time}.jsonl; run lm-eval with --log_samples`
    throw malformedLog(folder, 'no samples beside the results', expected)
  }
  const heard = judged.map(wordings.heard)
  const found = { benchmarks, judged: heard, wordings: wordings.of }
  const cached = cachedIn(results, heard.length)
  return refuseUndecided({ ...modelOf(results, path, time), ...found, ...cached })
}

/** Its file keeps replies by what was asked alone, whatever the model is. Of no reply a log says whether it is of it. */
function cachedIn({ config }: Results, replies: number): Pick<ComparedRun, 'provided'> {
  const file = config['use_cache']
  return typeof file === 'string' ? { provided: { names: [file], fromCache: replies } } : {}
}

/** "acc,none" and its value, of the results of a task or a group. */
const aggregatesOf = (row: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(row).filter(
    (key) => key.includes(',') && !/_stderr,/u.test(key) && typeof row[key] === 'number',
  )

/** Tasks that have results and are no groups of others. */
function measuredTasks({ results, groups, group_subtasks: parts }: Results): string[] {
  const isGroup = (name: string) =>
    Object.hasOwn(groups, name) || (Array.isArray(parts[name]) && parts[name].length > 0)
  return Object.entries(results).flatMap(([name, row]) =>
    aggregatesOf(row).length > 0 && !isGroup(name) ? [name] : [],
  )
}

/** What the results of a task tell has to stand in its samples. */
function refuseUnscored(scored: readonly Scored[], path: string, { task, results }: Task): void {
  if (isOurs(results.configs[task] ?? {})) return
  const known = new Set(scored.map(({ judge }) => judge))
  const other = aggregatesOf(results.results[task] ?? {}).find((name) => !known.has(name))
  if (other === undefined) return
  const found = `no score of "${shown(other)}", which the results have`
  throw malformedLog(path, found, 'samples of the same run, written by lm-eval with --log_samples')
}

/** A rate has to be the mean of its samples, unless the task says that it is made otherwise. */
function refuseDenied(scored: readonly Scored[], path: string, { task, results }: Task): void {
  const { metric_list: listed } = results.configs[task] ?? {}
  const made = Array.isArray(listed) ? listed.map(recordOr) : []
  const size = numberOr(recordOr(results['n-samples'][task])['effective'])
  for (const [name, rows] of Map.groupBy(scored, ({ aggregate }) => aggregate)) {
    const { metric } = rows[0]!
    const way = made.find((each) => each['metric'] === metric)?.['aggregation']
    const values = rows.map(({ value }) => value)
    if ((way !== undefined && way !== 'mean') || isLeftOut(metric, values)) continue
    requireMean({ path, name, said: results.results[task]?.[name], values, size })
  }
}

interface Located {
  readonly folder: string
  readonly time: string
  /** Times of other results in the folder, where it was not said which to read. */
  readonly earlier: readonly string[]
}

/** A task that only earlier results of the folder have would be left out without a word. */
function refuseLeftOut(names: readonly string[], { folder, time, earlier }: Located): void {
  const tasksAt = (at: string) => names.flatMap((name) => taskOf(name, at) ?? [])
  const own = new Set(tasksAt(time))
  const other = earlier.find((at) => tasksAt(at).some((task) => !own.has(task)))
  if (other === undefined) return
  const task = tasksAt(other).find((name) => !own.has(name))!
  throw malformedLog(
    folder,
    `the task ${shown(task)} in earlier results (results_${other}.json) alone`,
    'results of the same tasks; name one results_*.json, or put them into folders of their own',
  )
}

async function locate(path: string): Promise<Located> {
  const isWhole = await isFolder(path)
  const names = isWhole ? await readdir(path) : [basename(path)]
  const times = names.flatMap((name) => RESULTS.exec(name)?.groups?.['time'] ?? []).sort()
  const time = times.at(-1)
  if (time === undefined) throw malformedLog(path, 'no results_*.json', 'a folder of lm-eval')
  return { folder: isWhole ? path : dirname(path), time, earlier: times.slice(0, -1) }
}

/** `samples_{task}_{time}.jsonl`. */
function taskOf(name: string, time: string): string | undefined {
  const [before, after] = ['samples_', `_${time}.jsonl`]
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined
  return name.slice(before.length, -after.length) || undefined
}

function modelOf(results: Results, origin: string, time: string) {
  const { config, model_name, tokenizer_sha } = results
  const name = model_name ?? textOr(config['model'], 'model')
  return {
    runId: `${name} ${time}`,
    format: 'lm-eval',
    origin,
    ...{ arm: name, seed: 0, step: 0, title: name },
    ...{ templateDigest: templateOf(results), tokenizerDigest: tokenizer_sha ?? null },
    ...weightsIn(config['model_args']),
  }
}

const textOr = (value: unknown, other: string) => (typeof value === 'string' ? value : other)

interface Task {
  readonly task: string
  readonly results: Results
  readonly metrics: Metrics
  readonly wordings: ReturnType<typeof createWordings>
}

/** One metric of one sample, before its meaning is known. */
interface Scored extends Omit<ComparedJudgement, 'role' | 'outcome'> {
  readonly metric: string
  /** Its name in the results, "acc,none". */
  readonly aggregate: string
  readonly value: unknown
  /** As our own logs write it. */
  readonly outcome: unknown
}

async function readSamples(path: string, of: Task): Promise<ComparedJudgement[] | 'empty'> {
  const scored: Scored[] = []
  const epochOf = epochCounter()
  const seen = new Set<string>()
  const filterOf = filtersIn(of)
  let isEmpty = true
  for await (const { text, number } of linesOf(path)) {
    const where = `${path}, line ${number}`
    const sample = parsedLog(Sample, parseForeignJson(text, where), where, 'a sample of lm-eval')
    const sampleId = sample.doc_hash ?? String(sample.doc_id)
    isEmpty = false
    const filter = filterOf(sample)
    const metrics = metricsOf(sample)
    of.wordings.add({
      ...{ benchmark: of.task, sampleId, epoch: epochOf(filter, sampleId), scorer: filter },
      said: sample['resps'] ?? sample['filtered_resps'],
      scores: [metrics.map((metric) => sample[metric]), sample['mean_log_prob']],
    })
    for (const metric of metrics) {
      requireOnce(seen, keyOf(metric, filter, sample.doc_id), where)
      const epoch = epochOf(metric, filter, sampleId)
      scored.push(scoredOf(sample, { metric, filter, sampleId, epoch }, of))
    }
  }
  if (isEmpty) return 'empty'
  refuseUnscored(scored, path, of)
  refuseDenied(scored, path, of)
  const collector = createCollector(path)
  for (const rows of Map.groupBy(scored, ({ judge }) => judge).values()) {
    judgementsOf(rows, path, of).forEach(collector.add)
  }
  return collector.judged
}

/** Up to version 0.4.2 a sample did not say its filter: all documents by the first filter of the results, then all by the next. */
function filtersIn({ task, results }: Task): (sample: Sample) => string {
  const names = aggregatesOf(results.results[task] ?? {})
  const filters = [...new Set(names.map((name) => name.slice(name.indexOf(',') + 1)))]
  const timesOf = epochCounter()
  return ({ filter, doc_id: id }) =>
    filter ?? filters[Math.min(timesOf(String(id)), filters.length - 1)] ?? 'none'
}

interface ScoredAt {
  readonly metric: string
  readonly filter: string
  readonly sampleId: string
  readonly epoch: number
}

function scoredOf(
  sample: Sample,
  { metric, filter, ...key }: ScoredAt,
  { task, results }: Task,
): Scored {
  const config = results.configs[task] ?? {}
  const { judge, judge_version } = recordOr(config['metadata'])
  const { metric_list: metrics, filter_list: filters, process_results: process } = config
  const scored = scoredAs({
    ...{ version: results.versions[task], metrics, filters, process },
    isHigherBetter: recordOr(results.higher_is_better[task])[metric],
  })
  return {
    ...key,
    metric,
    aggregate: `${metric},${filter}`,
    benchmark: task,
    judge: textOr(judge, `${metric},${filter}`),
    judgeVersion: textOr(judge_version, scored),
    category: textOr(recordOr(sample.doc)['category'], ''),
    ...clusterIn(recordOr(sample.doc)),
    ...promptOf(sample),
    value: sample[metric],
    outcome: sample['outcome'],
  }
}

/** For one judge. A metric that is never right or wrong, such as perplexity, is left out. */
function judgementsOf(
  rows: readonly Scored[],
  path: string,
  { task, results, metrics }: Task,
): ComparedJudgement[] {
  const said = recordOr(results.configs[task]?.['metadata'])
  // A task of another author may say a role too, and mean something else by it.
  const isOwn = typeof said['judge'] === 'string' && rows.some(({ outcome }) => isOutcome(outcome))
  const ownRole = BENCHMARK_ROLES.find((role) => isOwn && role === said['role'])
  const { metric } = rows[0]!
  const values = rows.map(({ value }) => value)
  if (!ownRole && isLeftOut(metric, values)) return []
  const isHigherBetter = recordOr(results.higher_is_better[task])[metric]
  const named = {
    names: [metric],
    path,
    isHigherBetter: typeof isHigherBetter === 'boolean' ? isHigherBetter : undefined,
  }
  const meaning = ownRole ? meaningOfRole(ownRole) : meaningOf(named, metrics)
  const role = roleOf(meaning)
  const judged = rows.map(({ metric: _, aggregate: __, value, outcome: said, ...row }) => {
    const isSaid = ownRole && isOutcome(said)
    if (isSaid) requireSameOutcome({ role, outcome: said, score: value }, path)
    return { ...row, role, outcome: isSaid ? said : outcomeOfScore(value, meaning) }
  })
  return ownRole && judged.every(({ outcome }) => outcome === 'undecided') ? [] : judged
}

/** Older logs do not list their metrics; there every other field that holds a number, or yes or no, is one. */
function metricsOf(sample: Sample): string[] {
  if (sample.metrics) return sample.metrics.filter((name) => Object.hasOwn(sample, name))
  const isField = (key: string) => key === 'doc_id' || key === 'target'
  return Object.keys(sample).filter(
    (key) => !isField(key) && (typeof sample[key] === 'number' || isShare(sample[key])),
  )
}

/** By the log's own digest, else by the whole text; where neither is known by the document, if its name does not say it. */
function promptOf(sample: Sample): Pick<ComparedJudgement, 'promptDigest' | 'prompt'> {
  const text = textOf(sample)
  const { prompt_hash: said, target_hash: target, doc_hash, doc } = sample
  const known = said ?? (text === null ? null : sha256(text))
  const ofDoc = doc_hash == null && doc !== undefined ? sha256(JSON.stringify(doc)) : null
  const promptDigest = known !== null && target ? `${known} ${target}` : (known ?? ofDoc)
  return { promptDigest, prompt: text === null ? null : shown(text) }
}

function textOf({ arguments: all }: Sample): string | null {
  const first = Array.isArray(all) ? (all[0] as unknown) : recordOr(all)['gen_args_0']
  const prompt = Array.isArray(first) ? (first[0] as unknown) : recordOr(first)['arg_0']
  return typeof prompt === 'string' ? prompt : null
}
