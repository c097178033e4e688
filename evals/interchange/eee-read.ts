/**
 * @file Reads Every Eval Ever (schema 0.3): `NAME.json` with the rates of one model, and the replies in `NAME_samples.jsonl` beside it.
 * The log's checksum of that file must match. Replies that no judge decided are not in it.
 */
import {
  linesOf,
  malformedLog,
  openLog,
  parsedLog,
  parseForeignJson,
  readLogJson,
} from './log-file.ts'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { MetricMeaning } from '../contract/gate/rule.ts'
import { sha256 } from '../files/digest.ts'
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
} from '../findings/gate/compared-run.ts'
import {
  clusterIn,
  createCollector,
  createLists,
  createWordings,
  epochCounter,
  isOutcome,
  numberOr,
  refuseUndecided,
  requireMean,
  requireSameOutcome,
  scoredAs,
  shown,
  weightsIn,
} from './imported.ts'
import { meaningOf, outcomeOfScore, roleOf, type Metrics } from './metrics.ts'

const LARGEST_LOG = 64 * 2 ** 20

const Loose = z.record(z.string(), z.unknown()).catch({}).default({})
const Result = z.looseObject({
  evaluation_name: z.string().min(1),
  source_data: z.looseObject({ dataset_name: z.string().min(1), additional_details: Loose }),
  metric_config: z
    .looseObject({
      metric_id: z.string().nullish(),
      metric_name: z.string().nullish(),
      lower_is_better: z.boolean().nullish().catch(null),
      min_score: z.number().nullish().catch(null),
      max_score: z.number().nullish().catch(null),
    })
    .default({}),
  score_details: z
    .looseObject({
      score: z.unknown().optional(),
      details: Loose,
      uncertainty: z.looseObject({ num_samples: z.int().nullish() }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
  generation_config: z
    .looseObject({ generation_args: Loose, additional_details: Loose })
    .nullish()
    .catch(null),
})
type Result = z.infer<typeof Result>

const Log = z.looseObject({
  eval_library: z.unknown().optional(),
  schema_version: z.string().regex(/^0\.3\./u, 'must be 0.3'),
  evaluation_id: z.string().min(1),
  model_info: z.looseObject({
    id: z.string().min(1),
    name: z.string().nullish(),
    additional_details: Loose,
  }),
  evaluation_results: z.array(Result).min(1),
  detailed_evaluation_results: z
    .looseObject({ hash_algorithm: z.string().nullish(), checksum: z.string().nullish() })
    .nullish(),
})
type Log = z.infer<typeof Log>

const Sample = z.looseObject({
  evaluation_name: z.string(),
  sample_id: z.union([z.string().min(1), z.int()]),
  sample_hash: z.string().nullish(),
  input: z.looseObject({ raw: z.unknown() }).default({ raw: null }),
  output: z.looseObject({ raw: z.unknown() }).nullish().catch(null),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.unknown() }))
    .nullish()
    .catch(null),
  answer_attribution: z.array(z.looseObject({ extracted_value: z.unknown() })).nullish(),
  evaluation: z.looseObject({ score: z.unknown(), is_correct: z.unknown() }),
  metadata: Loose,
})

/** Path of a log's replies. */
export const eeeSamplesPath = (path: string): string => path.replace(/\.json$/iu, '_samples.jsonl')

/** One model state. */
export async function readEee(path: string, metrics: Metrics): Promise<ComparedRun> {
  const read = await readLogJson(path, LARGEST_LOG)
  const log = parsedLog(Log, read, path, 'a log of Every Eval Ever 0.3')
  const isOwn = log.evaluation_id.startsWith('touchstone/')
  const results = meantBy(log, path, metrics, isOwn)
  const samples = eeeSamplesPath(path)
  await requireChecksum(samples, log)
  const collector = createCollector(samples)
  const epochOf = epochCounter()
  const seen = new Set<string>()
  const scores = createLists<unknown>()
  const wordings = createWordings()
  for await (const { text, number } of linesOf(samples)) {
    const where = `${samples}, line ${number}`
    const digest = sha256(text)
    if (seen.has(digest)) throw malformedLog(where, 'the same line again', 'every sample once')
    seen.add(digest)
    const sample = sampleIn(text, where)
    const found = results.get(sample.evaluation_name)
    if (!found) {
      const other = `a sample of "${shown(sample.evaluation_name)}"`
      throw malformedLog(where, other, 'samples of the results in the log')
    }
    scores.add(sample.evaluation_name, sample.evaluation.score)
    const sampleId = /^(.*?)(?:#\d+)?$/su.exec(String(sample.sample_id))![1]!
    const epoch = epochOf(sample.evaluation_name, sampleId)
    const row = judgementOf(sample, { sampleId, epoch }, { ...found, isOwn, where })
    collector.add(row)
    wordings.add({ ...row, ...toldIn(sample) })
  }
  for (const result of log.evaluation_results)
    refuseDenied(result, scores.of(result.evaluation_name), path)
  const meaningBy = (row: Result) => results.get(row.evaluation_name)!.meaning
  const model = modelOf(log, path, meaningBy, isOwn)
  const judged = collector.judged.map(wordings.heard)
  return refuseUndecided({ ...model, judged, wordings: wordings.of })
}

const sampleIn = (line: string, where: string) =>
  parsedLog(Sample, parseForeignJson(line, where), where, 'a sample of Every Eval Ever')

/** The reply, or all of them in a conversation. */
const toldIn = ({ output, messages, ...sample }: z.infer<typeof Sample>) => ({
  said:
    output?.raw ??
    messages?.filter(({ role }) => role === 'assistant').map(({ content }) => content),
  scores: [sample.evaluation.score, sample.metadata['mean_log_prob']],
  scorer: sample.evaluation_name,
})

/** On the scale of the metric, from 0 to 1. */
function refuseDenied(
  { evaluation_name: name, metric_config: config, score_details: said }: Result,
  scores: readonly unknown[],
  path: string,
): void {
  const { scaled } = scaleOf(config)
  const size = said?.uncertainty?.num_samples
  requireMean({ path, name, said: scaled(said?.score), values: scores.map(scaled), size })
}

/** By the result's name. */
function meantBy(log: Log, path: string, metrics: Metrics, isOwn: boolean) {
  const results = new Map<string, Omit<Meant, 'isOwn' | 'where'>>()
  for (const result of log.evaluation_results) {
    const meaning = meaningOfResult(result, path, metrics)
    const { evaluation_name: name } = result
    if (results.has(name))
      throw malformedLog(path, `two results "${shown(name)}"`, 'one result of each name')
    results.set(name, { result, meaning, scored: isOwn ? '' : scoredBy(result, log) })
  }
  return results
}

interface Meant {
  readonly result: Result
  readonly meaning: MetricMeaning
  readonly isOwn: boolean
  /** How its scores were made, as far as the log says. */
  readonly scored: string
  readonly where: string
}

const READ_ELSEWHERE = new Set('metric_id metric_name min_score max_score'.split(' '))

/** The judge, the metric's parameters and the version of the library; bounds of scores are read by themselves. */
function scoredBy({ metric_config }: Result, { eval_library: library }: Log): string {
  const said = Object.entries(metric_config).filter(([name]) => !READ_ELSEWHERE.has(name))
  return scoredAs({ ...Object.fromEntries(said), library })
}

function judgementOf(
  sample: z.infer<typeof Sample>,
  key: { readonly sampleId: string; readonly epoch: number },
  { result, meaning, isOwn, scored: version, where }: Meant,
): ComparedJudgement {
  const { extracted_value: said } = sample.answer_attribution?.at(-1) ?? {}
  const [role, { score }] = [roleOf(meaning), sample.evaluation]
  if (isOwn && isOutcome(said)) requireSameOutcome({ role, outcome: said, score }, where)
  const scored = () => outcomeOfScore(scoreOf(sample, result, meaning), meaning)
  return {
    ...key,
    benchmark: result.source_data.dataset_name,
    role,
    judge: judgeOf(result),
    judgeVersion: textOr(sample.metadata['judge_version'], version),
    category: textOr(sample.metadata['category'], ''),
    ...clusterIn(sample.metadata),
    outcome: isOwn && isOutcome(said) ? said : scored(),
    ...promptOf(sample),
  }
}

function promptOf({ input: { raw }, sample_hash: said }: z.infer<typeof Sample>) {
  const text = typeof raw === 'string' ? raw : null
  const promptDigest = said ?? (text === null ? null : sha256(text))
  return { promptDigest, prompt: text === null ? null : shown(text) }
}

function modelOf(
  { evaluation_id, model_info, evaluation_results }: Log,
  origin: string,
  meaningBy: (row: Result) => MetricMeaning,
  isOwn: boolean,
) {
  const { id, name, additional_details: known } = model_info
  const rows = evaluation_results.map((row) => benchmarkOf(row, meaningBy(row), isOwn))
  const benchmarks = new Map(rows.map((row) => [row.name, row]))
  return {
    runId: evaluation_id,
    format: 'eee',
    origin,
    arm: id,
    seed: 0,
    step: 0,
    title: name ?? id,
    templateDigest: textOr(known['template_digest'], null),
    tokenizerDigest: textOr(known['tokenizer_digest'], null),
    ...(isOwn && weightsIn(known)),
    benchmarks: [...benchmarks.values()],
  }
}

const textOr = <T>(value: unknown, other: T) =>
  typeof value === 'string' && value !== '' ? value : other

/** Our own logs write "touchstone." before the names of their metrics. */
function meaningOfResult(result: Result, path: string, metrics: Metrics): MetricMeaning {
  const { metric_id, metric_name, lower_is_better } = result.metric_config
  // An identifier that nobody knows is no right answer, whatever its scorer is called.
  const names = metric_id ? [metric_id.replace(/^touchstone\./u, ''), metric_id] : []
  const others = [metric_name, judgeOf(result)].flatMap((name) => name || [])
  if (names.length === 0) names.push(...others.splice(0, 1))
  const isHigherBetter = lower_is_better == null ? undefined : !lower_is_better
  return meaningOf({ names, others, path, isHigherBetter }, metrics)
}

/** If lower is better, `is_correct` has no meaning; scores on another scale than 0 to 1 are undecided. */
function scoreOf(
  { evaluation: { score, is_correct: isCorrect } }: z.infer<typeof Sample>,
  { metric_config: config }: Result,
  meaning: MetricMeaning,
): unknown {
  const { from, to, scaled } = scaleOf(config)
  if (!meaning.startsWith('higher') || isCorrect == null)
    return from === 0 && to === 1 ? score : null
  const at = scaled(score)
  const isDenied = (at === 0 && isCorrect === true) || (at === 1 && isCorrect === false)
  return isDenied ? null : isCorrect
}

/** From the worst to the best score, and a score between 0 and 1 on it. */
function scaleOf({ min_score: least, max_score: most }: Result['metric_config']) {
  const [from, to] = [least ?? 0, most ?? 1]
  const scaled = (score: unknown) =>
    typeof score === 'number' && to > from ? (score - from) / (to - from) : score
  return { from, to, scaled }
}

/** Scored replies, and undecided ones as our own logs count them. */
function repliesOf({ score_details }: Result): number | null {
  const scored = score_details?.uncertainty?.num_samples ?? null
  const undecided = Number(score_details?.details['undecided'] ?? 0)
  return scored === null ? null : scored + (Number.isSafeInteger(undecided) ? undecided : 0)
}

function benchmarkOf(result: Result, meaning: MetricMeaning, isOwn: boolean): ComparedBenchmark {
  const { source_data, generation_config } = result
  const { dataset_name: name, additional_details: known } = source_data
  const { max_tokens, temperature, ...args } = generation_config?.generation_args ?? {}
  const put = isOwn || Object.keys(args).length === 0 ? '' : scoredAs(args)
  const seed = generation_config?.additional_details['seed']
  const { looks } = known
  return {
    name,
    title: textOr(known['title'], name),
    role: roleOf(meaning),
    ...(isOwn && typeof looks === 'string' && { looks }),
    promptSetDigest: [textOr(known['prompts_digest'], ''), put].join(' ').trim() || null,
    decoding: {
      maxNewTokens: numberOr(max_tokens),
      temperature: numberOr(temperature),
      seed: typeof seed === 'string' && /^\d{1,15}$/u.test(seed) ? Number(seed) : null,
    },
    replies: repliesOf(result),
  }
}

/** The part of a result's name after the data set's; in our logs the judge. */
function judgeOf({ evaluation_name, source_data }: Result): string {
  const prefix = `${source_data.dataset_name}.`
  return evaluation_name.startsWith(prefix) ? evaluation_name.slice(prefix.length) : evaluation_name
}

/** A log without a checksum is not checked. */
async function requireChecksum(samples: string, { detailed_evaluation_results: said }: Log) {
  if (said?.hash_algorithm !== 'sha256' || !said.checksum) return
  const hash = createHash('sha256')
  for await (const chunk of openLog(samples)) hash.update(chunk)
  const digest = hash.digest('hex')
  if (digest !== said.checksum) {
    throw malformedLog(samples, `sha256 ${digest}`, `sha256 ${said.checksum}, as its log says`)
  }
}
