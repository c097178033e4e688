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
import type { MetricMeaning } from '../contract/gate.ts'
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
} from '../findings/gate/compared-run.ts'
import {
  clusterIn,
  createCollector,
  epochCounter,
  isOutcome,
  refuseUndecided,
  shown,
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
    .looseObject({ details: Loose, uncertainty: z.looseObject({ num_samples: z.int().nullish() }) })
    .nullish()
    .catch(null),
  generation_config: z
    .looseObject({ generation_args: Loose, additional_details: Loose })
    .nullish()
    .catch(null),
})
type Result = z.infer<typeof Result>

const Log = z.looseObject({
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
  const results = new Map(
    log.evaluation_results.map((row) => {
      const meaning = meaningOfResult(row, path, metrics)
      return [row.evaluation_name, { result: row, meaning }]
    }),
  )
  const samples = eeeSamplesPath(path)
  await requireChecksum(samples, log)
  const collector = createCollector(samples)
  const epochOf = epochCounter()
  for await (const { text, number } of linesOf(samples)) {
    const where = `${samples}, line ${number}`
    const line = parseForeignJson(text, where)
    const sample = parsedLog(Sample, line, where, 'a sample of Every Eval Ever')
    const found = results.get(sample.evaluation_name)
    if (!found) {
      const other = `a sample of "${shown(sample.evaluation_name)}"`
      throw malformedLog(where, other, 'samples of the results in the log')
    }
    const sampleId = /^(.*?)(?:#\d+)?$/su.exec(String(sample.sample_id))![1]!
    const epoch = epochOf(sample.evaluation_name, sampleId)
    collector.add(judgementOf(sample, { sampleId, epoch }, { ...found, isOwn }))
  }
  const meaningBy = (row: Result) => results.get(row.evaluation_name)!.meaning
  return refuseUndecided({ ...modelOf(log, path, meaningBy), judged: collector.judged })
}

interface Meant {
  readonly result: Result
  readonly meaning: MetricMeaning
  readonly isOwn: boolean
}

function judgementOf(
  sample: z.infer<typeof Sample>,
  key: { readonly sampleId: string; readonly epoch: number },
  { result, meaning, isOwn }: Meant,
): ComparedJudgement {
  const { extracted_value: said } = sample.answer_attribution?.at(-1) ?? {}
  const scored = () => outcomeOfScore(scoreOf(sample, result, meaning), meaning)
  return {
    ...key,
    benchmark: result.source_data.dataset_name,
    role: roleOf(meaning),
    judge: judgeOf(result),
    judgeVersion: textOr(sample.metadata['judge_version'], ''),
    category: textOr(sample.metadata['category'], ''),
    ...clusterIn(sample.metadata),
    outcome: isOwn && isOutcome(said) ? said : scored(),
    promptDigest: sample.sample_hash ?? null,
    prompt: typeof sample.input.raw === 'string' ? shown(sample.input.raw) : null,
  }
}

function modelOf(
  { evaluation_id, model_info, evaluation_results }: Log,
  origin: string,
  meaningBy: (row: Result) => MetricMeaning,
) {
  const { id, name, additional_details: known } = model_info
  const rows = evaluation_results.map((row) => benchmarkOf(row, meaningBy(row)))
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
    benchmarks: [...benchmarks.values()],
  }
}

const textOr = <T>(value: unknown, other: T) =>
  typeof value === 'string' && value !== '' ? value : other
const numberOr = (value: unknown) => (typeof value === 'number' ? value : null)

/** Our own logs write "touchstone." before the names of their metrics. */
function meaningOfResult(result: Result, path: string, metrics: Metrics): MetricMeaning {
  const { metric_id, metric_name, lower_is_better } = result.metric_config
  const names = [metric_id?.replace(/^touchstone\./u, ''), metric_name, judgeOf(result)]
  const isHigherBetter = lower_is_better == null ? undefined : !lower_is_better
  return meaningOf({ names: names.flatMap((name) => name ?? []), path, isHigherBetter }, metrics)
}

/** If lower is better, `is_correct` has no meaning; scores on another scale than 0 to 1 are undecided. */
function scoreOf(
  { evaluation }: z.infer<typeof Sample>,
  { metric_config: { min_score, max_score } }: Result,
  meaning: MetricMeaning,
): unknown {
  if (meaning.startsWith('higher') && evaluation.is_correct != null) return evaluation.is_correct
  return (min_score ?? 0) === 0 && (max_score ?? 1) === 1 ? evaluation.score : null
}

/** Scored replies, and undecided ones as our own logs count them. */
function repliesOf({ score_details }: Result): number | null {
  const scored = score_details?.uncertainty.num_samples ?? null
  const undecided = Number(score_details?.details['undecided'] ?? 0)
  return scored === null ? null : scored + (Number.isSafeInteger(undecided) ? undecided : 0)
}

function benchmarkOf(result: Result, meaning: MetricMeaning): ComparedBenchmark {
  const { source_data, generation_config } = result
  const { dataset_name: name, additional_details: known } = source_data
  const args = generation_config?.generation_args ?? {}
  const seed = generation_config?.additional_details['seed']
  return {
    name,
    title: textOr(known['title'], name),
    role: roleOf(meaning),
    promptSetDigest: textOr(known['prompts_digest'], null),
    decoding: {
      maxNewTokens: numberOr(args['max_tokens']),
      temperature: numberOr(args['temperature']),
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
