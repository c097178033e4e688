/** @file A resumed run is of the files that it read before: models, prompts and training data. */
import { expect, test } from 'vitest'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { ArtifactRow, BenchmarkRow, SubjectIdentity } from '../../../evals/contract/rows.ts'
import { sameAsBefore } from '../../../evals/runs/same-as-before.ts'
import { EXAMPLES } from '../../doubles/rows/job-events.ts'

const { row: training } = EXAMPLES.subject
const candidate: SubjectIdentity = {
  ...training,
  mitigation: undefined,
  derivation: undefined,
  arm: 'tuned',
  title: 'tuned',
  method: null,
}
const base: SubjectIdentity = { ...candidate, arm: 'base', title: 'Base', adapterDigest: null }
const lora: SubjectIdentity = { ...candidate, arm: 'lora', title: 'LoRA', method: 'lora' }
const { row: prompts } = EXAMPLES.benchmark
const data: ArtifactRow = {
  ...{ role: 'training data', path: 'rows.jsonl', digest: 'sha256:d1', bytes: 9 },
  content: { kind: 'training-data', rows: 3 },
}

const sink = sameAsBefore({
  run: { id: 'audit-1' } as AuditRows['run'],
  subjects: [base, candidate, lora],
  benchmarks: [prompts],
  artifacts: [data],
})
const tell = (body: JobEventBody) => () => sink.event({ runId: 'audit-1', seq: 1, at: 0, ...body })
const subject = (row: SubjectIdentity) => tell({ type: 'subject', row })
const benchmark = (row: BenchmarkRow) => tell({ type: 'benchmark', row })
const artifact = (row: ArtifactRow) => tell({ type: 'artifact', row })

test.each([
  ['the base in other weights', subject({ ...base, weightsDigest: 'x' }), 'The model changed'],
  [
    'the base with another template',
    subject({ ...base, templateDigest: 'x' }),
    'The model changed',
  ],
  ['another adapter of a name', subject({ ...candidate, adapterDigest: 'x' }), 'tuned changed'],
  ['a training with another tokenizer', subject({ ...lora, tokenizerDigest: 'x' }), 'LoRA changed'],
  ['other prompts', benchmark({ ...prompts, digest: 'x' }), `${prompts.title} changed`],
  ['other training data', artifact({ ...data, digest: 'x' }), 'The training data changed'],
])('%s is refused', (_, told, said) => {
  expect(told).toThrow(`${said} since audit-1 was interrupted`)
})

test.each([
  ['the same', subject(base)],
  [
    'a training whose weights went on',
    subject({ ...lora, weightsDigest: 'x', adapterDigest: 'y' }),
  ],
  ['what was not known before', subject({ ...candidate, arm: 'other', weightsDigest: 'x' })],
  ['data of another file', artifact({ ...data, path: 'other.jsonl', digest: 'x' })],
])('%s is not', (_, told) => {
  expect(told).not.toThrow()
})
