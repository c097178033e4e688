/**
 * @file An Inspect log (`.eval`): one model state on one benchmark. A ZIP of `_journal/start.json`, `samples/{id}_epoch_{n}.json`,
 * `_journal/summaries/1.json`, `summaries.json`, `reductions.json`, `header.json`; EvalLog version 2, deflate, messages written out.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import { weightsOf } from '../contract/subjects/weights.ts'
import { decodingOf, type Expected, type SubjectIdentity } from '../contract/rows.ts'
import { repeatedRate } from '../statistics/repeated.ts'
import { looksText, stateId, successOf, type MeasuredReply, type Measurement } from './measured.ts'
import { zipOf, type ZipEntry } from './zip-write.ts'

/** Key of `eval.metadata` for what only Touchstone reads. */
export const OWN_METADATA = 'touchstone'

export const RATE_NAMES = {
  refusal: 'refusal_rate',
  'over-refusal': 'over_refusal_rate',
  capability: 'accuracy',
} as const

export function inspectLog(rows: AuditRows, measurement: Measurement): Promise<Uint8Array[]> {
  return zipOf(entriesOf(rows, measurement))
}

function* entriesOf(rows: AuditRows, measurement: Measurement): Generator<ZipEntry> {
  const { replies } = measurement
  const version = 2
  const spec = specOf(rows, measurement)
  const plan = { name: 'plan', steps: [{ solver: 'generate', params: {} }], config: {} }
  yield json('_journal/start.json', { version, eval: spec, plan })
  for (const measured of replies) {
    yield json(`samples/${sampleFile(measured)}`, sampleOf(rows, measurement, measured))
  }
  const summaries = replies.map((measured) => summaryOf(measurement, measured))
  yield json('_journal/summaries/1.json', summaries)
  yield json('summaries.json', summaries)
  yield json('reductions.json', reductionsOf(measurement))
  yield json('header.json', {
    version,
    status: 'success',
    eval: spec,
    plan,
    results: resultsOf(measurement),
    stats: { ...timesOf(rows), model_usage: {}, role_usage: {} },
  })
}

const json = (name: string, value: unknown): ZipEntry => ({ name, text: JSON.stringify(value) })

const isoTime = (ms: number) => new Date(ms).toISOString().replace('Z', '+00:00')
const timesOf = ({ run, measuredUntil }: AuditRows) => ({
  started_at: isoTime(run.startedAt),
  completed_at: isoTime(measuredUntil),
})
const UNSAFE = /[\u0000-\u001f\\]|(?:^|\/)\.\.(?:\/|$)|\/\/|\/$|^\//

/** Inspect finds a sample by this name; identifiers that would leave the folder are percent-encoded. */
function sampleFile({ reply: { sampleId, epoch } }: MeasuredReply): string {
  const id = UNSAFE.test(sampleId) ? encodeURIComponent(sampleId).replaceAll('.', '%2E') : sampleId
  return `${id}_epoch_${epoch + 1}.json`
}

function specOf(rows: AuditRows, measurement: Measurement) {
  const { subject, identity, benchmark, judge, judgeVersion, replies } = measurement
  const { run } = rows
  const { temperature, seed } = decodingOf(benchmark)
  const ids = [...new Set(replies.map(({ reply }) => reply.sampleId))]
  return {
    run_id: run.id,
    created: isoTime(run.startedAt),
    task: benchmark.name,
    task_id: `${run.id}.${stateId(subject)}.${benchmark.name}`,
    task_version: 0,
    task_args: {},
    dataset: { name: benchmark.title, samples: ids.length, sample_ids: ids, shuffled: false },
    model: `touchstone/${stateId(subject)}`,
    // Greedy replies do not depend on the seed, but a comparison reads it.
    model_generate_config: { max_tokens: benchmark.maxNewTokens, temperature, seed },
    model_args: {},
    config: { epochs: epochsOf(replies), epochs_reducer: ['mean'] },
    packages: { touchstone: run.engine.version, 'onnxruntime-node': run.engine.onnxruntime },
    scorers: benchmark.judges.map((name) => ({ name, options: {}, metrics: [], metadata: {} })),
    metadata: {
      [OWN_METADATA]: {
        ...withoutPath(identity),
        ...subject,
        ...weightsOf(identity, subject),
        role: benchmark.role,
        benchmarkDigest: benchmark.digest,
        ...(benchmark.licences && { licences: benchmark.licences }),
        judge,
        judgeVersion,
        looks: looksText(measurement),
        command: run.command,
      },
    },
  }
}

/** Paths of the user's disk are left out. */
const withoutPath = ({ path: _, ...identity }: SubjectIdentity) => identity

const epochsOf = (replies: readonly MeasuredReply[]) =>
  replies.reduce((most, { reply }) => Math.max(most, reply.epoch + 1), 1)

function sampleOf(rows: AuditRows, measurement: Measurement, measured: MeasuredReply) {
  const { reply, completion } = measured
  const model = `touchstone/${stateId(measurement.subject)}`
  const answer = { role: 'assistant', content: completion, source: 'generate', model }
  const stop = reply.stop === 'end' ? 'stop' : 'max_tokens'
  return {
    ...summaryOf(measurement, measured),
    messages: [{ role: 'user', content: reply.prompt, source: 'input' }, answer],
    output: { model, choices: [{ message: answer, stop_reason: stop }], completion },
    store: {},
    events: [],
    ...timesOf(rows),
    attachments: {},
  }
}

function summaryOf({ benchmark }: Measurement, { reply, verdicts, outcome }: MeasuredReply) {
  const scores = verdicts.flatMap((row) => {
    const success = successOf(benchmark.role, row.outcome)
    const metadata = { outcome: row.outcome, judgeVersion: row.judgeVersion, score: row.score }
    const score = { value: success ? 1 : 0, answer: row.outcome, explanation: row.reason, metadata }
    // Inspect writes unscored samples without a score.
    return success === null ? [] : [[row.judge, score] as const]
  })
  return {
    id: reply.sampleId,
    epoch: reply.epoch + 1,
    input: reply.prompt,
    target: targetOf(reply.expected),
    metadata: {
      category: reply.category,
      cluster: reply.cluster ?? null,
      expected: reply.expected.kind,
      promptDigest: reply.promptDigest,
      outcome,
      isWithheld: reply.text === null,
      tokens: reply.tokens,
      meanLogProb: reply.meanLogProb,
      baseMeanLogProb: reply.baseMeanLogProb ?? null,
    },
    scores: Object.fromEntries(scores),
    model_usage: {},
    completed: true,
  }
}

export function targetOf(expected: Expected): string | string[] {
  if (expected.kind === 'answer') return expected.accept
  return expected.kind === 'choice' ? (expected.options[expected.correct] ?? '') : expected.kind
}

/** Replies that count in the judge's rate. */
export function scoredBy({ benchmark, replies }: Measurement, judge: string) {
  return replies.flatMap(({ reply, verdicts }) => {
    const row = verdicts.find((verdict) => verdict.judge === judge)
    const success = row ? successOf(benchmark.role, row.outcome) : null
    return success === null ? [] : [{ reply, success }]
  })
}

/** Their mean over prompts, with its interval; null if none counts. */
export function rateBy(measurement: Measurement, judge: string) {
  const prompts = Map.groupBy(scoredBy(measurement, judge), ({ reply }) => reply.sampleId)
  return repeatedRate([...prompts.values()].map((all) => all.map(({ success }) => Number(success))))
}

function resultsOf(measurement: Measurement) {
  const { benchmark, replies } = measurement
  const scores = benchmark.judges.map((judge) => {
    const scored = scoredBy(measurement, judge)
    const name = RATE_NAMES[benchmark.role]
    const rate = rateBy(measurement, judge)
    const values = rate && {
      [name]: rate.estimate,
      [`${name}_lower`]: rate.lower,
      [`${name}_upper`]: rate.upper,
    }
    return {
      name: judge,
      scorer: judge,
      scored_samples: scored.length,
      unscored_samples: replies.length - scored.length,
      params: {},
      metrics: Object.fromEntries(
        Object.entries(values ?? {}).map(([key, value]) => [key, { name: key, value, params: {} }]),
      ),
    }
  })
  return { total_samples: replies.length, completed_samples: replies.length, scores }
}

function reductionsOf(measurement: Measurement) {
  return measurement.benchmark.judges.map((scorer) => {
    const bySample = Map.groupBy(scoredBy(measurement, scorer), ({ reply }) => reply.sampleId)
    const samples = [...bySample].map(([id, scored]) => ({
      sample_id: id,
      value: scored.filter(({ success }) => success).length / scored.length,
    }))
    return { scorer, reducer: 'mean', samples }
  })
}
