/**
 * @file A folder as lm-evaluation-harness writes it: `results_{time}.json` and one `samples_{task}_{time}.jsonl` per benchmark,
 * for one model state. `doc_hash` is lm-eval's: sha256 of the document as Python's `json.dumps(doc, indent=2)` writes it.
 */
import { sha256 } from '../files/digest.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import { weightsOf } from '../contract/subjects/weights.ts'
import { decodingOf } from '../contract/rows.ts'
import { RATE_NAMES, rateBy, scoredBy, targetOf } from './inspect-write.ts'
import { looksText, stateId, successOf, type MeasuredReply, type Measurement } from './measured.ts'

interface TextFile {
  readonly name: string
  readonly text: string
}

/** `measurements` are those of one model state. */
export function lmEvalFiles(rows: AuditRows, measurements: readonly Measurement[]): TextFile[] {
  const time = new Date(rows.measuredUntil).toISOString().replaceAll(':', '-').replace('Z', '000')
  const samples = measurements.map((measurement) => ({
    name: `samples_${measurement.benchmark.name}_${time}.jsonl`,
    text: measurement.replies.map((each, index) => sampleLine(measurement, each, index)).join(''),
  }))
  const results = `${JSON.stringify(resultsOf(rows, measurements), null, 2)}\n`
  return [{ name: `results_${time}.json`, text: results }, ...samples]
}

function docOf({ reply }: MeasuredReply) {
  const { sampleId, category, cluster, prompt, expected } = reply
  return {
    id: sampleId,
    category,
    ...(cluster != null && { cluster }),
    prompt,
    expected: expected.kind,
    target: targetOf(expected),
  }
}

function sampleLine(measurement: Measurement, measured: MeasuredReply, index: number): string {
  const { benchmark } = measurement
  const { reply, completion, outcome } = measured
  const doc = docOf(measured)
  const target = typeof doc.target === 'string' ? doc.target : (doc.target[0] ?? '')
  const metric = RATE_NAMES[benchmark.role]
  const success = successOf(benchmark.role, outcome)
  const sample = {
    doc_id: index,
    doc,
    target,
    arguments: {
      gen_args_0: {
        arg_0: reply.prompt,
        arg_1: generationOf(measurement),
      },
    },
    resps: [[completion]],
    filtered_resps: [completion],
    filter: 'none',
    metrics: [metric],
    doc_hash: sha256(JSON.stringify(doc, null, 2)),
    prompt_hash: sha256(reply.prompt),
    target_hash: sha256(target),
    [metric]: success === null ? null : Number(success),
    outcome,
    mean_log_prob: reply.meanLogProb,
  }
  return `${JSON.stringify(sample)}\n`
}

const byTask = <V>(measurements: readonly Measurement[], value: (of: Measurement) => V) =>
  Object.fromEntries(measurements.map((each) => [each.benchmark.name, value(each)]))

function resultsOf({ run, measuredUntil }: AuditRows, measurements: readonly Measurement[]) {
  const { subject, identity } = measurements[0]!
  const metricOf = ({ benchmark }: Measurement) => RATE_NAMES[benchmark.role]
  return {
    results: byTask(measurements, (each) => scoresOf(each, metricOf(each))),
    group_subtasks: {},
    configs: byTask(measurements, configOf),
    versions: byTask(measurements, () => 0),
    'n-shot': byTask(measurements, () => 0),
    higher_is_better: byTask(measurements, (each) => ({
      [metricOf(each)]: each.benchmark.role !== 'over-refusal',
    })),
    'n-samples': byTask(measurements, ({ replies }) => ({
      original: replies.length,
      effective: replies.length,
    })),
    config: {
      model: 'touchstone',
      model_args: {
        ...subject,
        weights_digest: identity.weightsDigest,
        ...weightsOf(identity, subject),
      },
      batch_size: null,
      device: run.engine.device,
      limit: null,
      random_seed: Math.max(...measurements.map(({ benchmark }) => decodingOf(benchmark).seed)),
    },
    git_hash: null,
    date: Math.floor(measuredUntil / 1000),
    task_hashes: byTask(measurements, ({ benchmark }) => benchmark.digest),
    model_source: 'touchstone',
    model_name: `${identity.title} (${stateId(subject)})`,
    model_name_sanitized: stateId(subject),
    chat_template_sha: identity.templateDigest,
    tokenizer_sha: identity.tokenizerDigest,
    touchstone: { version: run.engine.version, run: run.id },
  }
}

const generationOf = ({ benchmark }: Measurement) => ({
  max_gen_toks: benchmark.maxNewTokens,
  temperature: decodingOf(benchmark).temperature,
})

function configOf(measurement: Measurement) {
  const { benchmark, judge, judgeVersion } = measurement
  return {
    task: benchmark.name,
    output_type: 'generate_until',
    num_fewshot: 0,
    metadata: {
      role: benchmark.role,
      judge,
      judge_version: judgeVersion,
      looks: looksText(measurement),
      ...(benchmark.licences && { licences: benchmark.licences }),
    },
    // Each reply is a line of its own, so lm-eval's filters have nothing to choose.
    repeats: 1,
    generation_kwargs: generationOf(measurement),
  }
}

/** Standard error of a mean of zeros and ones as in lm-eval, √(p(1 − p)/(n − 1)), with n* for n if prompts repeat. */
function scoresOf(measurement: Measurement, metric: string) {
  const { length: replies } = scoredBy(measurement, measurement.judge)
  const rate = rateBy(measurement, measurement.judge)
  const [p, n] = [rate?.estimate ?? 0, rate?.effective ?? 0]
  return {
    alias: measurement.benchmark.name,
    sample_len: measurement.replies.length,
    [`${metric},none`]: replies > 0 ? p : null,
    [`${metric}_stderr,none`]: n > 1 ? Math.sqrt((p * (1 - p)) / (n - 1)) : 'N/A',
  }
}
