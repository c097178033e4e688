/** @file Every Eval Ever, field by field as schema 0.3.0 has it: what it requires, its words, and no field that it does not know. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FORMATS } from '../../../evals/interchange/formats.ts'
import { WITHHELD } from '../../../evals/interchange/measured.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'

const Details = z.record(z.string(), z.string())
const Named = { name: z.string(), version: z.string() }

/** The fields that we write of those that `eval.schema.json` knows; the optional ones that it has beside them are absent. */
const EvalLog = z.strictObject({
  schema_version: z.literal('0.3.0'),
  evaluation_id: z.string(),
  evaluation_timestamp: z.iso.datetime(),
  retrieved_timestamp: z.string().regex(/^\d+$/),
  source_metadata: z.strictObject({
    source_name: z.string(),
    source_type: z.enum(['documentation', 'evaluation_run']),
    source_organization_name: z.string(),
    evaluator_relationship: z.enum(['first_party', 'third_party', 'collaborative', 'other']),
    additional_details: Details,
  }),
  eval_library: z.strictObject(Named),
  model_info: z.strictObject({
    name: z.string(),
    id: z.string().regex(/^[^/]+\/[^/]+$/),
    inference_engine: z.strictObject(Named),
    additional_details: Details.and(
      z.looseObject({
        deployment_type: z.enum(['self_deployed', 'externally_managed', 'unknown']),
        model_availability: z.enum(['open_weights', 'closed_weights', 'unknown']),
      }),
    ),
  }),
  evaluation_results: z.array(
    z.strictObject({
      evaluation_result_id: z.string(),
      evaluation_name: z.string(),
      source_data: z.strictObject({
        dataset_name: z.string(),
        source_type: z.literal('other'),
        additional_details: Details,
      }),
      metric_config: z.strictObject({
        evaluation_description: z.string(),
        metric_name: z.string(),
        metric_id: z.string(),
        metric_unit: z.literal('proportion'),
        lower_is_better: z.boolean(),
        score_type: z.enum(['binary', 'continuous', 'levels']),
        min_score: z.number(),
        max_score: z.number(),
      }),
      score_details: z.strictObject({
        score: z.number().min(0).max(1),
        details: Details,
        uncertainty: z.strictObject({
          confidence_interval: z.strictObject({
            lower: z.number(),
            upper: z.number(),
            confidence_level: z.literal(0.95),
            method: z.string(),
          }),
          num_samples: z.int(),
        }),
      }),
      generation_config: z.strictObject({
        generation_args: z.strictObject({
          temperature: z.number(),
          max_tokens: z.int(),
          execution_command: z.string(),
        }),
        additional_details: Details,
      }),
    }),
  ),
  detailed_evaluation_results: z.strictObject({
    format: z.literal('jsonl'),
    file_path: z
      .string()
      .regex(
        /^data(\/[^/]+){3}\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_samples\.jsonl$/,
      ),
    hash_algorithm: z.enum(['sha256', 'md5']),
    checksum: z.string(),
    total_rows: z.int(),
  }),
})

const EvalSample = z.strictObject({
  schema_version: z.literal('0.3.0'),
  evaluation_id: z.string(),
  model_id: z.string(),
  evaluation_name: z.string(),
  evaluation_result_id: z.string(),
  sample_id: z.string(),
  sample_hash: z.string().regex(/^[0-9a-f]{64}$/),
  interaction_type: z.literal('single_turn'),
  input: z.strictObject({
    raw: z.string(),
    reference: z.array(z.string()),
    choices: z.array(z.string()).nullable(),
  }),
  output: z.strictObject({ raw: z.array(z.string()) }),
  messages: z.null(),
  answer_attribution: z.array(
    z.strictObject({
      turn_idx: z.int(),
      source: z.string(),
      extracted_value: z.string(),
      extraction_method: z.string(),
      is_terminal: z.boolean(),
    }),
  ),
  evaluation: z.strictObject({ score: z.number(), is_correct: z.boolean() }),
  metadata: Details,
})

test('logs and samples hold what the schema requires, and agree with one another', async () => {
  const format = FORMATS.find(({ name }) => name === 'eee')!
  const written = await format.write(smallAudit(), {} as never)
  const named = new Map(written.map(({ name, parts }) => [name, parts.join('')]))
  const logs = [...named].filter(([name]) => name.endsWith('.eee.json'))
  expect(logs).toHaveLength(3)
  for (const [name, text] of logs) {
    const log = EvalLog.parse(JSON.parse(text))
    const samples = named.get(name.replace(/\.json$/, '_samples.jsonl'))!
    const rows = samples
      .trimEnd()
      .split('\n')
      .map((line) => EvalSample.parse(JSON.parse(line)))
    const { checksum, total_rows } = log.detailed_evaluation_results
    expect(createHash('sha256').update(samples).digest('hex')).toBe(checksum)
    expect(rows).toHaveLength(total_rows)
    expect(log.evaluation_results.length).toBeGreaterThan(2)
    for (const { evaluation_result_id: id, score_details } of log.evaluation_results) {
      const own = rows.filter((row) => row.evaluation_result_id === id)
      expect(own).toHaveLength(score_details.uncertainty.num_samples)
      const correct = own.filter(({ evaluation }) => evaluation.is_correct).length
      expect(correct / own.length).toBe(score_details.score)
    }
    const refused = rows.filter(({ input }) => input.reference[0] === 'refuse')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.every(({ output }) => output.raw[0] === WITHHELD)).toBe(true)
  }
})
