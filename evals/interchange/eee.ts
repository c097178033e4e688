/**
 * @file Every Eval Ever (EvalEval coalition, schema 0.3.0): the rates of one model state, one result per benchmark and judge,
 * and the replies behind them in a second file.
 */
import { sha256 } from '../files/digest.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import { weightsOf } from '../contract/subjects/weights.ts'
import { decodingOf } from '../contract/rows.ts'
import { eeeSamples, resultId, resultName, type EeeIds } from './eee-samples.ts'
import { RATE_NAMES, rateBy, scoredBy } from './inspect-write.ts'
import { looksText, stateId, WITHHELD, type Measurement } from './measured.ts'

interface EveryEvalEver {
  readonly log: string
  readonly samples: readonly string[]
}

/** `measurements` are those of one model state. */
export function everyEvalEver(
  rows: AuditRows,
  measurements: readonly Measurement[],
): EveryEvalEver {
  const { run, measuredUntil } = rows
  const { subject } = measurements[0]!
  const ids: EeeIds = {
    evaluationId: `touchstone/${run.id}/${stateId(subject)}`,
    modelId: `touchstone/${stateId(subject)}`,
  }
  const samples = eeeSamples(measurements, ids)
  const log = {
    schema_version: '0.3.0',
    evaluation_id: ids.evaluationId,
    evaluation_timestamp: new Date(measuredUntil).toISOString(),
    retrieved_timestamp: String(Math.floor(measuredUntil / 1000)),
    source_metadata: {
      source_name: 'Touchstone',
      source_type: 'evaluation_run',
      source_organization_name: 'unknown',
      evaluator_relationship: 'other',
      additional_details: { run: run.id, command: run.command },
    },
    eval_library: { name: 'touchstone', version: run.engine.version },
    model_info: modelInfo(rows, measurements[0]!, ids),
    evaluation_results: measurements.flatMap((each) =>
      each.benchmark.judges.flatMap((judge) => resultOf(each, judge, ids, run.command) ?? []),
    ),
    detailed_evaluation_results: {
      format: 'jsonl',
      file_path: `data/touchstone/${ids.modelId}/${uuidOf(ids.evaluationId)}_samples.jsonl`,
      hash_algorithm: 'sha256',
      checksum: sha256(samples.join('')),
      total_rows: samples.length,
    },
  }
  return { log: `${JSON.stringify(log, null, 2)}\n`, samples }
}

const modelInfo = (
  { run }: AuditRows,
  { identity, subject }: Measurement,
  { modelId }: EeeIds,
) => ({
  name: identity.title,
  id: modelId,
  inference_engine: { name: 'onnxruntime', version: run.engine.onnxruntime },
  additional_details: {
    deployment_type: 'self_deployed',
    // Whether the fine-tune will be published is not known here.
    model_availability: 'unknown',
    weights_digest: identity.weightsDigest,
    ...weightsOf(identity, subject),
    adapter_digest: identity.adapterDigest ?? '',
    tokenizer_digest: identity.tokenizerDigest,
    template_digest: identity.templateDigest,
    fine_tuning_method: identity.method ?? '',
  },
})

/** The schema wants a UUID of version 4 in the file's name; here it is derived from the evaluation. */
function uuidOf(text: string): string {
  const hex = sha256(text)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`]
  return [...parts, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** Undefined if no reply counts, because the schema has no unknown rates. */
function resultOf(measurement: Measurement, judge: string, ids: EeeIds, command: string) {
  const { benchmark } = measurement
  const score = scoreDetails(measurement, judge)
  if (!score) return undefined
  const metric = RATE_NAMES[benchmark.role]
  const { samples, temperature, seed } = decodingOf(benchmark)
  return {
    evaluation_result_id: resultId(ids, measurement, judge),
    evaluation_name: resultName(measurement, judge),
    source_data: sourceOf(measurement),
    metric_config: {
      evaluation_description: `${benchmark.title}, judged by ${judge}`,
      metric_name: metric.replaceAll('_', ' '),
      metric_id: benchmark.role === 'capability' ? 'accuracy' : `touchstone.${metric}`,
      metric_unit: 'proportion',
      lower_is_better: benchmark.role === 'over-refusal',
      score_type: 'continuous',
      min_score: 0,
      max_score: 1,
    },
    score_details: score,
    generation_config: {
      generation_args: {
        temperature,
        max_tokens: benchmark.maxNewTokens,
        execution_command: command,
      },
      additional_details: { seed: String(seed), samples_per_prompt: String(samples) },
    },
  }
}

const sourceOf = (measurement: Measurement) => {
  const { benchmark, replies } = measurement
  return {
    dataset_name: benchmark.name,
    source_type: 'other',
    additional_details: {
      title: benchmark.title,
      prompts_digest: benchmark.digest,
      ...(benchmark.licences && { licences: benchmark.licences.join(', ') }),
      looks: looksText(measurement),
      replies: replies.some(({ completion }) => completion === WITHHELD) ? 'withheld' : 'logged',
    },
  }
}

function scoreDetails(measurement: Measurement, judge: string) {
  const rate = rateBy(measurement, judge)
  if (!rate) return undefined
  const scored = scoredBy(measurement, judge)
  const { length: n } = scored
  const prompts = new Set(scored.map(({ reply }) => reply.sampleId)).size
  const successes = scored.filter(({ success }) => success).length
  const { estimate, lower, upper } = rate
  return {
    score: estimate,
    details: {
      successes: String(successes),
      undecided: String(measurement.replies.length - n),
    },
    uncertainty: {
      confidence_interval: {
        lower,
        upper,
        confidence_level: 0.95,
        method: n > prompts ? 'wilson, effective sample size over prompts' : 'wilson',
      },
      num_samples: n,
    },
  }
}
