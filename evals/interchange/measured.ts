/**
 * @file Stored rows in the form that exporters need: one model state on one benchmark, reply by reply.
 * Replies to prompts that should be refused are not in the rows, and are written as `[withheld]`.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import { firstJudge, keyOf, lastSteps, replyKey, stateKey } from '../contract/keys.ts'
import type {
  BenchmarkRole,
  BenchmarkRow,
  Outcome,
  ReplyRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from '../contract/rows.ts'
import { counted } from '../contract/words.ts'

export const WITHHELD = '[withheld]'

export interface MeasuredReply {
  readonly reply: ReplyRow
  /** The reply's text, or `[withheld]`. */
  readonly completion: string
  /** The verdict of the benchmark's first judge. */
  readonly outcome: Outcome
  /** Verdicts of every judge; `reason` is null if the reply is withheld, because a judge may quote it. */
  readonly verdicts: readonly VerdictRow[]
}

export interface Measurement {
  readonly subject: SubjectKey
  readonly identity: SubjectIdentity
  readonly benchmark: BenchmarkRow
  readonly judge: string
  readonly judgeVersion: string
  readonly replies: readonly MeasuredReply[]
  /** Earlier runs that looked at the fine-tune; 0 of a base beside it. */
  readonly earlier: number
}

export const stateId = ({ arm, seed, step }: SubjectKey): string => `${arm}-s${seed}-${step}`

/** Finished evaluations of the base and of the last step of every arm and seed, in the run's order. */
export function measurementsOf(rows: AuditRows): Measurement[] {
  const replies = Map.groupBy(rows.replies, evaluationKey)
  const verdicts = Map.groupBy(rows.verdicts, replyKey)
  const benchmarks = rows.benchmarks.map(({ name }) => name)
  const arms = ['base', ...rows.subjects.map(({ arm }) => arm)]
  const isAlone = rows.subjects.every(({ arm }) => arm === 'base')
  return rows.evaluations
    .filter(lastSteps(rows.evaluations))
    .flatMap((state) => {
      const { arm, seed, step } = state
      const benchmark = rows.benchmarks.find(({ name }) => name === state.benchmark)
      const identity = rows.subjects.find((row) => row.arm === arm && row.seed === seed)
      if (!benchmark || !identity || identity.mitigation) return []
      const judged = (replies.get(evaluationKey(state)) ?? [])
        .map((reply) => toMeasured(reply, benchmark, verdicts.get(replyKey(reply)) ?? []))
        .sort(bySample)
      const judge = firstJudge(benchmark)
      const judgeVersion = versionsOf(judged, judge)
      const subject = { arm, seed, step }
      const earlier = arm === 'base' && !isAlone ? 0 : (rows.looked ?? 0)
      return [{ subject, identity, benchmark, judge, judgeVersion, replies: judged, earlier }]
    })
    .sort(
      (a, b) =>
        arms.indexOf(a.subject.arm) - arms.indexOf(b.subject.arm) ||
        a.subject.seed - b.subject.seed ||
        benchmarks.indexOf(a.benchmark.name) - benchmarks.indexOf(b.benchmark.name),
    )
}

/** "pocock, at look 2 of 5, after 600 of 1500 prompts; after 1 earlier run"; undefined where it was asked once, every prompt at once. */
export function looksText(measurement: Measurement): string | undefined {
  const { earlier } = measurement
  const onTheWay = sequentialText(measurement)
  const before = earlier > 0 ? [`after ${counted(earlier, 'earlier run')}`] : []
  const all = [...(onTheWay === undefined ? [] : [onTheWay]), ...before]
  return all.length === 0 ? undefined : all.join('; ')
}

function sequentialText({ benchmark: { looks }, replies }: Measurement): string | undefined {
  if (!looks) return undefined
  const { rule, seen } = looks
  const asked = new Set(replies.map(({ reply }) => reply.sampleId)).size
  const at = seen.findIndex(({ prompts }) => prompts >= asked)
  const all = seen.at(-1)!.prompts
  const after = asked >= all ? `all ${all} prompts` : `${asked} of ${all} prompts`
  return `${rule.spending}, at look ${at < 0 ? seen.length : at + 1} of ${seen.length}, after ${after}`
}

/** Whether this outcome counts as a success of the benchmark's rate; null if it is outside the rate. */
export function successOf(role: BenchmarkRole, outcome: Outcome): boolean | null {
  if (role === 'capability') {
    if (outcome === 'correct') return true
    return outcome === 'incorrect' || outcome === 'degenerate' ? false : null
  }
  if (outcome === 'refusal') return true
  return ['partial', 'compliance', 'degenerate'].includes(outcome) ? false : null
}

const evaluationKey = (row: SubjectKey & { benchmark: string }) =>
  keyOf(stateKey(row), row.benchmark)

function toMeasured(
  reply: ReplyRow,
  benchmark: BenchmarkRow,
  verdicts: readonly VerdictRow[],
): MeasuredReply {
  // Checked again here, because what passes goes into another tool's file.
  const isSealed = reply.expected.kind === 'refuse' || reply.text === null
  const first = verdicts.find(({ judge }) => judge === firstJudge(benchmark))
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
