/** @file Stored rows grouped by model state, benchmark and judge, prompt by prompt. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Evaluation, Rate, Results } from '../contract/results.ts'
import {
  OUTCOMES,
  type BenchmarkRole,
  type BenchmarkRow,
  type Outcome,
  type ReplyRow,
  type SubjectKey,
} from '../contract/rows.ts'
import { keyOf, stateKey, replyKey, lastSteps } from '../contract/keys.ts'
import { isDecided, isSuccess } from './gate/outcomes.ts'
import { wilson } from '../statistics/proportion.ts'
import { repeatedRate } from '../statistics/repeated.ts'
import { thoughtsOf } from './thoughts.ts'

/** The numeric part of the results; verdict, notes and limits are derived from it. */
export type Measured = Omit<
  Results,
  | 'verdict'
  | 'gate'
  | 'changePoints'
  | 'mergeLines'
  | 'routers'
  | 'causes'
  | 'origins'
  | 'remedies'
  | 'limits'
>

export interface JudgedReply {
  readonly reply: ReplyRow
  readonly outcome: Outcome
  /** Where the judge says more than an outcome. */
  readonly score: number | null
  /** What the judge says of the thought before the answer. */
  readonly thoughtOutcome?: Outcome | null
}

export interface Judged {
  readonly subject: SubjectKey
  readonly benchmark: BenchmarkRow
  readonly judge: string
  /** Several, joined, where a judge changed in the middle of a run. */
  readonly judgeVersion: string
  /** By sample and epoch: the same key is the same prompt of any model state. */
  readonly replies: ReadonlyMap<string, JudgedReply>
}

/** The rows that grouping needs. */
export type Judgeable = Pick<
  AuditRows,
  'benchmarks' | 'subjects' | 'replies' | 'verdicts' | 'evaluations'
>

/** Finished evaluations only, since a partial benchmark is a different one; ordered by subject, benchmark, judge. */
export function groupJudged(rows: Judgeable): Judged[] {
  const finished = new Set(rows.evaluations.map((row) => keyOf(stateKey(row), row.benchmark)))
  const replies = new Map(rows.replies.map((row) => [replyKey(row), row]))
  const benchmarks = new Map(rows.benchmarks.map((row) => [row.name, row]))
  const groups = new Map<string, Judged & { replies: Map<string, JudgedReply> }>()
  for (const row of rows.verdicts) {
    const reply = replies.get(replyKey(row))
    const benchmark = benchmarks.get(row.benchmark)
    if (!reply || !benchmark || !finished.has(keyOf(stateKey(row), row.benchmark))) continue
    const key = keyOf(stateKey(row), row.benchmark, row.judge)
    const { arm, seed, step } = row
    const group = groups.get(key) ?? {
      subject: { arm, seed, step },
      benchmark,
      judge: row.judge,
      judgeVersion: row.judgeVersion,
      replies: new Map<string, JudgedReply>(),
    }
    group.replies.set(keyOf(row.sampleId, row.epoch), {
      reply,
      outcome: row.outcome,
      score: row.score,
      thoughtOutcome: row.thoughtOutcome ?? null,
    })
    groups.set(key, { ...group, judgeVersion: joined(group.judgeVersion, row.judgeVersion) })
  }
  return [...groups.values()]
    .map((group) => ({ ...group, replies: inKeyOrder(group.replies) }))
    .sort(inOrderOf(rows))
}

/** The bootstrap draws by position, so the order of prompts must be fixed. */
const inKeyOrder = <V>(map: ReadonlyMap<string, V>) =>
  new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))

const joined = (versions: string, version: string) =>
  versions.split(', ').includes(version) ? versions : `${versions}, ${version}`

function inOrderOf(
  rows: Pick<Judgeable, 'benchmarks' | 'subjects'>,
): (a: Judged, b: Judged) => number {
  const arms = ['base', ...rows.subjects.map(({ arm }) => arm)]
  const benchmarks = rows.benchmarks.map(({ name }) => name)
  const judgePlace = ({ benchmark, judge }: Judged) => {
    const place = benchmark.judges.indexOf(judge)
    return place < 0 ? benchmark.judges.length : place
  }
  return (a, b) =>
    arms.indexOf(a.subject.arm) - arms.indexOf(b.subject.arm) ||
    a.subject.seed - b.subject.seed ||
    a.subject.step - b.subject.step ||
    benchmarks.indexOf(a.benchmark.name) - benchmarks.indexOf(b.benchmark.name) ||
    judgePlace(a) - judgePlace(b) ||
    (a.judge < b.judge ? -1 : 1)
}

/** The last evaluated step of every arm and seed, without the base. */
export function lastStates(states: readonly Judged[]): Judged[] {
  const isLast = lastSteps(states.map(({ subject }) => subject))
  return states.filter(({ subject }) => subject.arm !== 'base' && isLast(subject))
}

export function toRate(successes: number, n: number): Rate {
  if (n === 0) return { successes, n, estimate: null, lower: null, upper: null }
  return { successes, n, estimate: successes / n, ...wilson(successes, n) }
}

export const rateOf = (role: BenchmarkRole, replies: Iterable<JudgedReply>): Rate =>
  rateOfPrompts([...scoresByPrompt(role, replies).values()])

/** The mean over prompts of their replies' scores (0 or 1); prompts without a score do not count. */
export function rateOfPrompts(prompts: readonly (readonly number[])[]): Rate {
  const asked = prompts.filter(({ length }) => length > 0)
  const scores = asked.flat()
  const rate = toRate(scores.filter((score) => score > 0).length, scores.length)
  const repeated = scores.length > asked.length ? repeatedRate(asked) : null
  if (!repeated) return rate
  const { estimate, lower, upper } = repeated
  return { ...rate, prompts: asked.length, estimate, lower, upper }
}

/** Scores (0 or 1) of each prompt's decided replies; empty for a prompt without any. */
export function scoresByPrompt(
  role: BenchmarkRole,
  replies: Iterable<JudgedReply>,
  counts: (outcome: Outcome) => boolean = (outcome) => isSuccess(role, outcome),
): Map<string, number[]> {
  const scores = new Map<string, number[]>()
  for (const { reply, outcome } of replies) {
    const own = scores.get(reply.sampleId) ?? []
    scores.set(reply.sampleId, own)
    if (isDecided(role, outcome)) own.push(Number(counts(outcome)))
  }
  return scores
}

export function toEvaluation(state: Judged): Evaluation {
  const known = OUTCOMES.filter((outcome) => outcome !== 'unfinished')
  const counts = Object.fromEntries(known.map((outcome) => [outcome, 0])) as Evaluation['counts']
  for (const { outcome } of state.replies.values()) counts[outcome] = (counts[outcome] ?? 0) + 1
  return {
    ...judgedKey(state),
    judgeVersion: state.judgeVersion,
    counts,
    ...thoughtsOf(state.replies.values()),
    rate: rateOf(state.benchmark.role, state.replies.values()),
  }
}

export const judgedKey = ({ subject, benchmark, judge }: Judged) => ({
  ...subject,
  benchmark: benchmark.name,
  judge,
})
