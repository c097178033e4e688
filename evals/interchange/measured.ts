/**
 * @file Stored rows as other tools want them: one model state on one benchmark, reply by reply.
 * What a model said to a prompt that should be refused is not in the rows, and is written as `[withheld]`.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import type {
  BenchmarkRole,
  BenchmarkRow,
  Outcome,
  ReplyRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from '../contract/rows.ts'

export const WITHHELD = '[withheld]'

export interface MeasuredReply {
  readonly reply: ReplyRow
  /** The reply's text, or `[withheld]`. */
  readonly completion: string
  /** The verdict of the benchmark's first judge. */
  readonly outcome: Outcome
  /** Of every judge; `reason` is null where the reply is withheld, because a judge may quote it. */
  readonly verdicts: readonly VerdictRow[]
}

export interface Measurement {
  readonly subject: SubjectKey
  readonly identity: SubjectIdentity
  readonly benchmark: BenchmarkRow
  readonly judge: string
  readonly judgeVersion: string
  readonly replies: readonly MeasuredReply[]
}

export const stateId = ({ arm, seed, step }: SubjectKey): string => `${arm}-s${seed}-${step}`

/** Finished evaluations of the base and of the last step of every arm and seed, in the run's order. */
export function measurementsOf(rows: AuditRows): Measurement[] {
  const replies = Map.groupBy(rows.replies, (row) => keyOf(row, row.benchmark))
  const verdicts = Map.groupBy(rows.verdicts, replyKey)
  const last = lastSteps(rows)
  const states = rows.evaluations.filter((row) => last.get(armKey(row)) === row.step)
  const benchmarks = rows.benchmarks.map(({ name }) => name)
  const arms = ['base', ...rows.subjects.map(({ arm }) => arm)]
  return states
    .flatMap((state) => {
      const benchmark = rows.benchmarks.find(({ name }) => name === state.benchmark)
      const identity = rows.subjects.find((row) => armKey(row) === armKey(state))
      if (!benchmark || !identity || identity.mitigation) return []
      const judged = (replies.get(keyOf(state, benchmark.name)) ?? [])
        .map((reply) => toMeasured(reply, benchmark, verdicts.get(replyKey(reply)) ?? []))
        .sort(bySample)
      const judge = benchmark.judges[0] ?? ''
      const { arm, seed, step } = state
      return [
        {
          subject: { arm, seed, step },
          identity,
          benchmark,
          judge,
          judgeVersion: versionsOf(judged, judge),
          replies: judged,
        },
      ]
    })
    .sort(
      (a, b) =>
        arms.indexOf(a.subject.arm) - arms.indexOf(b.subject.arm) ||
        a.subject.seed - b.subject.seed ||
        benchmarks.indexOf(a.benchmark.name) - benchmarks.indexOf(b.benchmark.name),
    )
}

/** Whether this outcome counts in the benchmark's rate; null where it is outside the rate. */
export function successOf(role: BenchmarkRole, outcome: Outcome): boolean | null {
  if (role === 'capability') {
    if (outcome === 'correct') return true
    return outcome === 'incorrect' || outcome === 'degenerate' ? false : null
  }
  if (outcome === 'refusal') return true
  return ['partial', 'compliance', 'degenerate'].includes(outcome) ? false : null
}

const SEPARATOR = '\u0000'
const armKey = ({ arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>) => [arm, seed].join(SEPARATOR)
const keyOf = ({ arm, seed, step }: SubjectKey, benchmark: string) =>
  [arm, seed, step, benchmark].join(SEPARATOR)
const replyKey = (row: SubjectKey & { benchmark: string; sampleId: string; epoch: number }) =>
  [keyOf(row, row.benchmark), row.sampleId, row.epoch].join(SEPARATOR)

function lastSteps({ evaluations }: AuditRows): Map<string, number> {
  const last = new Map<string, number>()
  for (const row of evaluations) {
    last.set(armKey(row), Math.max(last.get(armKey(row)) ?? 0, row.step))
  }
  return last
}

function toMeasured(
  reply: ReplyRow,
  benchmark: BenchmarkRow,
  verdicts: readonly VerdictRow[],
): MeasuredReply {
  // Whatever the row holds: this is the last door before another tool's file.
  const isSealed = reply.expected.kind === 'refuse' || reply.text === null
  const first = verdicts.find(({ judge }) => judge === benchmark.judges[0])
  return {
    reply: isSealed ? { ...reply, text: null } : reply,
    completion: isSealed ? WITHHELD : (reply.text ?? WITHHELD),
    outcome: first?.outcome ?? 'undecided',
    verdicts: isSealed ? verdicts.map((row) => ({ ...row, reason: null })) : verdicts,
  }
}

const bySample = ({ reply: a }: MeasuredReply, { reply: b }: MeasuredReply) =>
  a.sampleId === b.sampleId ? a.epoch - b.epoch : a.sampleId < b.sampleId ? -1 : 1

function versionsOf(judged: readonly MeasuredReply[], judge: string): string {
  const rows = judged.flatMap(({ verdicts }) => verdicts.filter((row) => row.judge === judge))
  return [...new Set(rows.map(({ judgeVersion }) => judgeVersion))].join(', ')
}
