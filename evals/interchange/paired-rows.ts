/** @file The paired table: one row per prompt and judge, before (base) and after. All row formats are written from it. */
import type { BenchmarkRole, BenchmarkRow, Outcome } from '../contract/rows.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import { keyOf } from '../contract/keys.ts'
import {
  looksText,
  measurementsOf,
  successOf,
  type MeasuredReply,
  type Measurement,
} from './measured.ts'

export interface PairedRow {
  readonly benchmark: string
  readonly role: BenchmarkRole
  readonly judge: string
  readonly judgeVersion: string
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly sampleId: string
  readonly epoch: number
  readonly category: string
  readonly cluster: string | null
  readonly expected: string
  /** Null if the base has no reply. */
  readonly before: Outcome | null
  readonly after: Outcome
  /** Change in the benchmark's rate; empty if one side is undecided or missing. */
  readonly change: 'lost' | 'gained' | 'kept' | ''
  readonly promptDigest: string
  readonly prompt: string
  readonly beforeText: string | null
  readonly afterText: string
  /** Of the benchmark's rows, `; ` between; null where none is stated. */
  readonly licences: string | null
  /** How it was looked at on the way; null where every prompt was asked at once. */
  readonly looks: string | null
}

export const PAIRED_COLUMNS = [
  'benchmark',
  'role',
  'judge',
  'judgeVersion',
  'arm',
  'seed',
  'step',
  'sampleId',
  'epoch',
  'category',
  'cluster',
  'expected',
  'before',
  'after',
  'change',
  'promptDigest',
  'prompt',
  'beforeText',
  'afterText',
  'licences',
  'looks',
] as const satisfies readonly (keyof PairedRow)[]

/** If only a base was measured, its rows, without anything before. */
export function pairedRows(rows: AuditRows): PairedRow[] {
  const measurements = measurementsOf(rows)
  const bases = measurements.filter(({ subject }) => subject.arm === 'base')
  const tuned = measurements.filter(({ subject }) => subject.arm !== 'base')
  return (tuned.length > 0 ? tuned : bases).flatMap((measurement) => {
    const { subject, benchmark, replies } = measurement
    const base = bases.find((each) => each.benchmark.name === benchmark.name)
    const isBase = subject.arm === 'base'
    const before = new Map(isBase ? [] : base?.replies.map((each) => [promptKey(each), each]))
    return replies.flatMap((after) =>
      after.verdicts.map((verdict) => {
        const { judge, judgeVersion, outcome } = verdict
        const earlier = before.get(promptKey(after))
        const was = earlier?.verdicts.find((row) => row.judge === judge)?.outcome ?? null
        const { sampleId, epoch, category, cluster, expected, promptDigest, prompt } = after.reply
        return {
          benchmark: benchmark.name,
          role: benchmark.role,
          judge,
          judgeVersion,
          ...subject,
          sampleId,
          epoch,
          category,
          cluster: cluster ?? null,
          expected: expected.kind,
          before: was,
          after: outcome,
          change: changeOf(benchmark.role, was, outcome),
          promptDigest,
          prompt,
          beforeText: earlier?.completion ?? null,
          afterText: after.completion,
          ...askedAs(measurement),
        }
      }),
    )
  })
}

const askedAs = (measurement: Measurement) => ({
  licences: licencesText(measurement.benchmark),
  looks: looksText(measurement) ?? null,
})

/** Licences that a benchmark's rows state, as one field. */
export const licencesText = ({ licences }: Pick<BenchmarkRow, 'licences'>): string | null =>
  licences?.join('; ') ?? null

const promptKey = ({ reply }: MeasuredReply) => keyOf(reply.sampleId, reply.epoch)

function changeOf(
  role: BenchmarkRole,
  before: Outcome | null,
  after: Outcome,
): PairedRow['change'] {
  const was = before === null ? null : successOf(role, before)
  const is = successOf(role, after)
  if (was === null || is === null) return ''
  if (was === is) return 'kept'
  return was ? 'lost' : 'gained'
}
