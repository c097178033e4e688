/**
 * @file Every Eval Ever's instance level (schema 0.3.0): one line per reply and judge that decided. A reply to a
 * prompt that should be refused is `[withheld]`; `extracted_value` is the judge's outcome, never its words.
 */
import { sha256 } from '../files/digest.ts'
import { targetOf } from './inspect-write.ts'
import { successOf, type MeasuredReply, type Measurement } from './measured.ts'

export interface EeeIds {
  readonly evaluationId: string
  readonly modelId: string
}

export const resultName = ({ benchmark }: Measurement, judge: string): string =>
  `${benchmark.name}.${judge}`
export const resultId = ({ evaluationId }: EeeIds, measurement: Measurement, judge: string) =>
  `${evaluationId}/${resultName(measurement, judge)}`

export function eeeSamples(measurements: readonly Measurement[], ids: EeeIds): string[] {
  return measurements.flatMap((measurement) =>
    measurement.benchmark.judges.flatMap((judge) =>
      measurement.replies.flatMap((reply) => sampleLine(measurement, reply, judge, ids)),
    ),
  )
}

/** Texts alone, as the schema has it. */
const metadataOf = (
  { category, cluster, meanLogProb }: MeasuredReply['reply'],
  { judgeVersion }: MeasuredReply['verdicts'][number],
) => ({
  category,
  ...(cluster != null && { cluster }),
  judge_version: judgeVersion,
  ...(meanLogProb !== null && { mean_log_prob: String(meanLogProb) }),
})

function sampleLine(
  measurement: Measurement,
  { reply, verdicts, completion }: MeasuredReply,
  judge: string,
  ids: EeeIds,
): string[] {
  const verdict = verdicts.find((row) => row.judge === judge)
  const success = verdict ? successOf(measurement.benchmark.role, verdict.outcome) : null
  if (!verdict || success === null) return []
  const reference = [targetOf(reply.expected)].flat()
  const sample = {
    schema_version: '0.3.0',
    evaluation_id: ids.evaluationId,
    model_id: ids.modelId,
    evaluation_name: resultName(measurement, judge),
    evaluation_result_id: resultId(ids, measurement, judge),
    sample_id: reply.epoch === 0 ? reply.sampleId : `${reply.sampleId}#${reply.epoch}`,
    sample_hash: sha256(reply.prompt + reference.join('')),
    interaction_type: 'single_turn',
    input: {
      raw: reply.prompt,
      reference,
      choices: reply.expected.kind === 'choice' ? reply.expected.options : null,
    },
    output: { raw: [completion] },
    messages: null,
    answer_attribution: [
      {
        turn_idx: 0,
        source: 'output.raw',
        extracted_value: verdict.outcome,
        extraction_method: judge,
        is_terminal: true,
      },
    ],
    evaluation: { score: Number(success), is_correct: success },
    metadata: metadataOf(reply, verdict),
  }
  return [`${JSON.stringify(sample)}\n`]
}
