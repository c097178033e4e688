/** @file Stored rows as `ComparedRun`s: one for each model state, finished evaluations only. */
import { approximationOf, ROUNDED } from '../../contract/approximate.ts'
import type { AuditRows, RunRow } from '../../contract/audit-rows.ts'
import {
  decodingOf,
  type BenchmarkRow,
  type Expected,
  type ReplyKey,
  type SubjectKey,
  type VerdictRow,
} from '../../contract/rows.ts'
import { keyOf, stateKey, replyKey, isSameState, lastSteps } from '../../contract/keys.ts'
import { weightsOf } from '../../contract/subjects/weights.ts'
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
  ServedState,
  Stopped,
  Wording,
} from './compared-run.ts'
import { replyWords } from './judges/reply-words.ts'
import { noiseIn } from './served/noise.ts'
import { isDecided } from './outcomes.ts'
import { labelsByState, peopleSay } from './people.ts'

/** The rows that say what a state replied, and what was thought of it. */
export type StateRows = Pick<
  AuditRows,
  | 'benchmarks'
  | 'subjects'
  | 'replies'
  | 'replyDigests'
  | 'wordingOf'
  | 'withheld'
  | 'verdicts'
  | 'evaluations'
  | 'labelled'
  | 'changed'
  | 'planned'
  | 'repeats'
> & {
  readonly run: Pick<RunRow, 'id'> & Partial<Pick<RunRow, 'config'>>
  readonly artifacts?: AuditRows['artifacts']
}

/**
 * Every evaluated state of a run, base first, steps ascending. All states of a run are asked through the base's template and
 * tokenizer; a candidate whose own ones do otherwise is known by them.
 */
export function storedStates(rows: StateRows, origin: string): ComparedRun[] {
  const base = rows.subjects.find(({ arm }) => arm === 'base')
  const states = new Map(rows.evaluations.map((row) => [stateKey(row), row]))
  const judged = judgedByState(rows)
  const unfitIn = unfitReplies(rows)
  const noise = noiseIn(rows)
  const again = baseAgain(rows)
  const labelsOf = rows.labelled && labelsByState(rows.labelled, rows.benchmarks)
  const arms = ['base', ...rows.subjects.map(({ arm }) => arm)]
  return [...states.values()]
    .filter((state) => judged.has(stateKey(state)))
    .sort((a, b) => arms.indexOf(a.arm) - arms.indexOf(b.arm) || a.seed - b.seed || a.step - b.step)
    .map(({ arm, seed, step }) => ({
      ...identifiedBy(rows, { arm, seed, step }),
      runId: rows.run.id,
      format: 'touchstone',
      origin,
      arm,
      seed,
      step,
      title: rows.subjects.find((row) => row.arm === arm && row.seed === seed)?.title ?? arm,
      thinking: base?.thinking ?? null,
      products: approximationOf(rows.run.config) === ROUNDED ? 'rounded to int8' : null,
      cachePrecision: base?.cachePrecision ?? null,
      benchmarks: benchmarksOf(rows, { arm, seed, step }, unfitIn),
      judged: judged.get(keyOf(arm, seed, step)) ?? [],
      ...unfinishedOf(rows, { arm, seed, step }),
      ...(rows.changed !== undefined && { changed: rows.changed }),
      ...servedBy(rows, { arm, seed, step }, again),
      replies: () => digestsIn(rows, { arm, seed, step }),
      wordings: () => wordingsIn(rows, { arm, seed, step }),
      ...(noise && { noise }),
      ...(labelsOf && { labels: labelsOf({ arm, seed, step }) }),
    }))
}

function servedBy(
  { subjects }: StateRows,
  { arm, seed }: SubjectKey,
  again: ServedState['again'],
): Pick<ComparedRun, 'served'> {
  const served = subjects.find((row) => row.arm === arm && row.seed === seed)?.served
  if (!served) return {}
  return { served: { addresses: served.addresses, fingerprint: served.fingerprint, again } }
}

const nameOf = ({
  benchmark,
  sampleId,
  epoch,
}: Pick<ReplyKey, 'benchmark' | 'sampleId' | 'epoch'>) => keyOf(benchmark, sampleId, epoch)

const digestsIn = ({ replies, replyDigests }: StateRows, state: SubjectKey): Map<string, string> =>
  new Map(
    replies.filter(isSameState(state)).flatMap((row): [string, string][] => {
      const digest = replyDigests?.get(replyKey(row))
      return digest === undefined ? [] : [[nameOf(row), digest]]
    }),
  )

const wordingsIn = ({ replies, wordingOf }: StateRows, state: SubjectKey): Map<string, Wording> =>
  new Map(
    replies.filter(isSameState(state)).flatMap((row): [string, Wording][] => {
      const digest = wordingOf?.(row)
      return digest === undefined ? [] : [[nameOf(row), { of: 'reply', digest }]]
    }),
  )

/** What was asked again without its words being kept, by an earlier version, is not known. */
function baseAgain(rows: StateRows): ServedState['again'] {
  const base = rows.subjects.find(({ arm, served }) => arm === 'base' && served)
  if (!base) return new Map()
  const first = digestsIn(rows, { ...base, step: 0 })
  const again = new Map<string, boolean>()
  for (const { digest, ...row } of rows.repeats ?? []) {
    const name = nameOf({ ...row, epoch: 0 })
    if (digest === undefined || !first.has(name)) continue
    again.set(name, again.get(name) !== false && digest === first.get(name))
  }
  return again
}

/** By the state's own row. Digests of a served model, which says nothing of them, are empty. */
function identifiedBy(
  { subjects }: StateRows,
  { arm, seed, step }: SubjectKey,
): Pick<ComparedRun, 'templateDigest' | 'tokenizerDigest' | 'weights'> {
  const own =
    subjects.find((row) => row.arm === arm && row.seed === seed) ??
    subjects.find((row) => row.arm === 'base')
  return {
    templateDigest: own?.templateDigest || null,
    tokenizerDigest: own?.tokenizerDigest || null,
    ...(own?.arm === arm && weightsOf(own, { step })),
  }
}

/** Of the last state of a training that was stopped before its end: the planned one is not known. */
function unfinishedOf(
  { evaluations, planned = [] }: StateRows,
  { arm, seed, step }: SubjectKey,
): Pick<ComparedRun, 'unmeasured'> {
  const own = evaluations.filter((row) => row.arm === arm && row.seed === seed)
  const last = Math.max(...own.map((row) => row.step))
  const end = planned.find((row) => row.arm === arm && row.seed === seed)?.step
  if (end === undefined || last >= end || step < last) return {}
  return { unmeasured: `it was to end at step ${end}, and its last evaluation is at step ${last}` }
}

/** The base, and every arm and seed at its last step. */
export function lastStates(states: readonly ComparedRun[]): ComparedRun[] {
  return states.filter(lastSteps(states))
}

function benchmarksOf(
  rows: StateRows,
  state: SubjectKey,
  unfitIn: ReturnType<typeof unfitReplies>,
): ComparedBenchmark[] {
  const asked = new Set(
    rows.evaluations.filter(isSameState(state)).map(({ benchmark }) => benchmark),
  )
  // What no state was asked stays a question.
  const known = new Set(rows.evaluations.map(({ benchmark }) => benchmark))
  return rows.benchmarks
    .filter(
      ({ name, context }) => asked.has(name) || !known.has(name) || context?.unasked !== undefined,
    )
    .map((row) => {
      const { name, title, role, digest, maxNewTokens, context, gain } = row
      const { temperature, seed, maxThinkingTokens } = decodingOf(row)
      const decoding = { maxNewTokens, temperature, seed, maxThinkingTokens }
      const stopped = stoppedAt(rows, state, row)
      const asked = stopped?.seen[stopped.at]!.prompts ?? row.samples
      const replies = asked * decodingOf(row).samples
      const unfit = Object.fromEntries(
        row.judges.map((judge) => [judge, unfitIn(state, name, judge)]),
      )
      const put = context ? { name: context.of, context } : { name }
      return {
        ...put,
        ...(stopped && { stopped }),
        chance: chanceOf(rows, state, name),
        sameAnswer: sameAnswerOf(rows, state, name),
        gain,
        title,
        role,
        promptSetDigest: digest,
        decoding,
        replies,
        unfit,
      }
    })
}

/** Undefined where every prompt was asked at once. */
function stoppedAt(
  { evaluations }: StateRows,
  state: SubjectKey,
  { name, looks }: BenchmarkRow,
): Stopped | undefined {
  if (!looks) return undefined
  const own = evaluations.filter(isSameState(state)).find(({ benchmark }) => benchmark === name)
  const at = looks.seen.findIndex(({ prompts }) => prompts === own?.samples)
  return { ...looks, at: at < 0 ? looks.seen.length - 1 : at }
}

/** How often guessing is right: one in as many as there are classes, or options of a prompt; never where the answer is free. */
function chanceOf({ subjects, replies }: StateRows, state: SubjectKey, name: string): number {
  const classes = subjects.find(({ arm }) => arm === state.arm)?.classes?.length
  if (classes) return 1 / classes
  const own = replies.filter((row) => row.benchmark === name && isSameState(state)(row))
  const right = own.map(({ expected }) =>
    expected.kind === 'choice' ? 1 / expected.options.length : 0,
  )
  return right.reduce((sum, share) => sum + share, 0) / Math.max(1, right.length)
}

/** By an option's place, or the first answer that is accepted. */
function sameAnswerOf({ replies }: StateRows, state: SubjectKey, name: string): number {
  const prompts = new Map(
    replies
      .filter((row) => row.benchmark === name && isSameState(state)(row))
      .map(({ sampleId, expected }) => [sampleId, answerTo(expected)]),
  )
  const sizes = [...Map.groupBy(prompts.values(), (answer) => answer)].map(([answer, all]) =>
    answer === undefined ? 0 : all.length,
  )
  const most = Math.max(0, ...sizes)
  // Of answers that are all different none is the same.
  return most > 1 ? most / prompts.size : 0
}

function answerTo(expected: Expected): number | string | undefined {
  if (expected.kind === 'choice') return expected.correct
  return expected.kind === 'answer' ? expected.accept[0]!.trim().toLowerCase() : undefined
}

/**
 * Counts replies of a state to a benchmark that a judge is not asked about: those to kinds of prompts that it has not judged
 * in any state.
 */
function unfitReplies({ replies, verdicts }: Pick<AuditRows, 'replies' | 'verdicts'>) {
  const kinds = new Map(replies.map((row) => [replyKey(row), row.expected.kind]))
  const judged = new Set(
    verdicts.map((row) => keyOf(row.benchmark, row.judge, kinds.get(replyKey(row)) ?? '')),
  )
  const counts = new Map<string, Map<string, number>>()
  for (const row of replies) {
    const key = keyOf(stateKey(row), row.benchmark)
    const own = counts.get(key) ?? new Map<string, number>()
    counts.set(key, own.set(row.expected.kind, (own.get(row.expected.kind) ?? 0) + 1))
  }
  return (state: SubjectKey, benchmark: string, judge: string): number =>
    [...(counts.get(keyOf(stateKey(state), benchmark)) ?? [])].reduce(
      (sum, [kind, n]) => (judged.has(keyOf(benchmark, judge, kind)) ? sum : sum + n),
      0,
    )
}

/** Digests of texts, and the words of replies to prompts to refuse and to answer; of withheld ones where the store lends them. */
function textsIn({ replies, benchmarks, replyDigests, withheld }: StateRows) {
  const guarded = new Set(
    benchmarks.filter(({ role }) => role !== 'capability').map(({ name }) => name),
  )
  const worded = new Map(
    replies.flatMap((row) => {
      if (!guarded.has(row.benchmark)) return []
      const text = row.text ?? withheld?.(row)
      return text === undefined
        ? []
        : [[replyKey(row), { words: replyWords(text, row.prompt) }] as const]
    }),
  )
  return (row: VerdictRow) => {
    const replyDigest = replyDigests?.get(replyKey(row))
    return { ...(replyDigest !== undefined && { replyDigest }), ...worded.get(replyKey(row)) }
  }
}

function judgedByState(rows: StateRows): Map<string, ComparedJudgement[]> {
  const finished = new Set(rows.evaluations.map((row) => keyOf(stateKey(row), row.benchmark)))
  const replies = new Map(rows.replies.map((row) => [replyKey(row), row]))
  const benchmarks = new Map(rows.benchmarks.map((row) => [row.name, row]))
  const states = new Map<string, ComparedJudgement[]>()
  const judges = new Map(rows.benchmarks.map((row) => [row.name, row.judges]))
  const people = rows.labelled && peopleSay(rows.labelled)
  const place = ({ benchmark, judge }: VerdictRow) => judges.get(benchmark)?.indexOf(judge) ?? 0
  const textOf = textsIn(rows)
  // A benchmark's first judge decides, so its rows come first.
  for (const row of rows.verdicts.toSorted((a, b) => place(a) - place(b))) {
    const reply = replies.get(replyKey(row))
    const asked = benchmarks.get(row.benchmark)
    if (!reply || !asked || !finished.has(keyOf(stateKey(row), row.benchmark))) continue
    const { judge, judgeVersion, sampleId, epoch } = row
    const { name, role, context } = asked
    const { category, cluster, promptDigest, prompt, stop, thought } = reply
    const judged = states.get(stateKey(row)) ?? []
    const label = people?.get(replyKey(row))
    const isSettled = label?.isChosen && label.outcome !== null && isDecided(role, label.outcome)
    judged.push({
      ...(context ? { benchmark: context.of, context: context.name } : { benchmark: name }),
      role,
      judge,
      judgeVersion,
      sampleId,
      epoch,
      ...(isSettled ? { outcome: label.outcome, judgedAs: row.outcome } : { outcome: row.outcome }),
      isCut: stop === 'length',
      hasThought: thought != null,
      category,
      ...(cluster != null && { cluster }),
      ...textOf(row),
      promptDigest,
      prompt,
    })
    states.set(stateKey(row), judged)
  }
  return states
}
