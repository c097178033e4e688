/**
 * @file Reads a folder of lm-evaluation-harness: the newest `results_*.json` and the `samples_*.jsonl` written with it.
 * Documents are paired by `doc_hash`; where a document occurs twice, by its place among its likes.
 */
import { decodeText, linesOf, malformedLog, parseForeignJson } from './log-file.ts'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, basename } from 'node:path'
import { z } from 'zod'
import { BENCHMARK_ROLES, type BenchmarkRole } from '../contract/rows.ts'
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
} from '../findings/gate/compared-run.ts'
import { createCollector, isOutcome, outcomeOfScore, refuseUndecided, shown } from './imported.ts'

const RESULTS = /^results_(?<time>.+)\.json$/
const LARGEST_RESULTS = 256 * 2 ** 20

const Loose = z.record(z.string(), z.unknown())
const Results = z.object({
  results: z.record(z.string(), Loose),
  configs: z.record(z.string(), Loose).default({}),
  task_hashes: z.record(z.string(), z.unknown()).catch({}).default({}),
  config: Loose.default({}),
  model_name: z.string().nullish().catch(null),
  chat_template_sha: z.string().nullish().catch(null),
  tokenizer_sha: z.string().nullish().catch(null),
})
type Results = z.infer<typeof Results>

const Sample = z.looseObject({
  doc_id: z.union([z.int(), z.string()]),
  doc: z.unknown().optional(),
  doc_hash: z.string().nullish(),
  prompt_hash: z.string().nullish(),
  filter: z.string().default('none'),
  metrics: z.array(z.string()).optional(),
  arguments: z.unknown().optional(),
})
type Sample = z.infer<typeof Sample>

/** `path` is the folder, or the results file itself. */
export async function readLmEval(path: string): Promise<ComparedRun> {
  const { folder, time } = await locate(path)
  const results = await readResults(join(folder, `results_${time}.json`))
  const benchmarks: ComparedBenchmark[] = []
  const judged: ComparedJudgement[] = []
  for (const name of (await readdir(folder)).sort()) {
    const task = taskOf(name, time)
    if (task === undefined) continue
    const benchmark = benchmarkOf(task, results)
    const found = await readSamples(join(folder, name), benchmark, results)
    if (found.length === 0) continue
    benchmarks.push(benchmark)
    judged.push(...keepDecided(found))
  }
  if (benchmarks.length === 0) {
    throw malformedLog(
      folder,
      'no samples beside the results',
      `samples_*_${time}.jsonl; run lm-eval with --log_samples`,
    )
  }
  return refuseUndecided({ ...modelOf(results, path, time), benchmarks, judged })
}

async function locate(path: string): Promise<{ folder: string; time: string }> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const names = isFolder ? await readdir(path) : [basename(path)]
  const times = names.flatMap((name) => RESULTS.exec(name)?.groups?.['time'] ?? []).sort()
  const time = times.at(-1)
  if (time === undefined) throw malformedLog(path, 'no results_*.json', 'a folder of lm-eval')
  return { folder: isFolder ? path : dirname(path), time }
}

async function readResults(path: string): Promise<Results> {
  const size = await stat(path).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      throw malformedLog(path, error.code ?? error.message, 'a readable file')
    },
  )
  if (size > LARGEST_RESULTS)
    throw malformedLog(path, `${size} bytes`, `at most ${LARGEST_RESULTS}`)
  const parsed = Results.safeParse(parseForeignJson(decodeText(await readFile(path), path), path))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw malformedLog(
    path,
    `${issue.path.join('.') || 'its JSON'}: ${issue.message}`,
    'results of lm-eval',
  )
}

/** `samples_{task}_{time}.jsonl`. */
function taskOf(name: string, time: string): string | undefined {
  const [before, after] = ['samples_', `_${time}.jsonl`]
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined
  return name.slice(before.length, -after.length) || undefined
}

function modelOf(results: Results, origin: string, time: string) {
  const { config, model_name, chat_template_sha, tokenizer_sha } = results
  const name = model_name ?? textOr(config['model'], 'model')
  return {
    runId: `${name} ${time}`,
    format: 'lm-eval',
    origin,
    arm: name,
    seed: 0,
    step: 0,
    title: name,
    templateDigest: chat_template_sha ?? null,
    tokenizerDigest: tokenizer_sha ?? null,
  }
}

const textOr = (value: unknown, other: string) => (typeof value === 'string' ? value : other)
const numberOr = (value: unknown) => (typeof value === 'number' ? value : null)
const recordOr = (value: unknown) => Loose.safeParse(value).data ?? {}

function benchmarkOf(task: string, { configs, task_hashes, config }: Results): ComparedBenchmark {
  const own = configs[task] ?? {}
  const generation = recordOr(own['generation_kwargs'])
  const digest = task_hashes[task]
  return {
    name: task,
    title: task,
    role: roleOf(recordOr(own['metadata'])['role']),
    promptSetDigest: typeof digest === 'string' ? digest : null,
    decoding: {
      maxNewTokens: numberOr(generation['max_gen_toks']),
      temperature: numberOr(generation['temperature']),
      seed: numberOr(config['random_seed']),
    },
  }
}

const roleOf = (value: unknown): BenchmarkRole =>
  BENCHMARK_ROLES.find((role) => role === value) ?? 'capability'

async function readSamples(
  path: string,
  { name: benchmark, role }: ComparedBenchmark,
  { configs }: Results,
): Promise<ComparedJudgement[]> {
  const collector = createCollector(path)
  const occurrences = new Map<string, number>()
  const { judge, judge_version } = recordOr(configs[benchmark]?.['metadata'])
  for await (const { text, number } of linesOf(path)) {
    const sample = parseSample(text, `${path}, line ${number}`)
    const sampleId = sample.doc_hash ?? String(sample.doc_id)
    for (const metric of metricsOf(sample)) {
      const key = [metric, sample.filter, sampleId].join('\u0000')
      const epoch = occurrences.get(key) ?? 0
      occurrences.set(key, epoch + 1)
      const { outcome } = sample
      collector.add({
        benchmark,
        role,
        judge: textOr(judge, `${metric},${sample.filter}`),
        judgeVersion: textOr(judge_version, ''),
        sampleId,
        epoch,
        category: textOr(recordOr(sample.doc)['category'], ''),
        outcome: isOutcome(outcome) ? outcome : outcomeOfScore(sample[metric]),
        promptDigest: sample.prompt_hash ?? null,
        prompt: promptOf(sample),
      })
    }
  }
  return collector.judged
}

function parseSample(text: string, where: string): Sample {
  const parsed = Sample.safeParse(parseForeignJson(text, where))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw malformedLog(
    where,
    `${issue.path.join('.') || 'its JSON'}: ${issue.message}`,
    'a sample of lm-eval',
  )
}

/** Older logs do not list their metrics: there they are the numbers that no other field is. */
function metricsOf(sample: Sample): string[] {
  if (sample.metrics) return sample.metrics.filter((name) => Object.hasOwn(sample, name))
  return Object.keys(sample).filter((key) => key !== 'doc_id' && typeof sample[key] === 'number')
}

function promptOf({ arguments: all }: Sample): string | null {
  const first = Array.isArray(all) ? (all[0] as unknown) : recordOr(all)['gen_args_0']
  const prompt = Array.isArray(first) ? (first[0] as unknown) : recordOr(first)['arg_0']
  return typeof prompt === 'string' ? shown(prompt) : null
}

/** A metric such as perplexity is right or wrong nowhere: it is left out, and the others are compared. */
function keepDecided(judged: readonly ComparedJudgement[]): ComparedJudgement[] {
  const decided = new Set(
    judged.filter(({ outcome }) => outcome !== 'undecided').map(({ judge }) => judge),
  )
  return judged.filter(({ judge }) => decided.has(judge))
}
