/**
 * @file What causes are looked for by: on the half of the prompts that nothing is judged by, what the base said rightly (it refused,
 * answered, was correct) and what the fine-tune says there in its place. The loss of a target is −log p of the first less that of the
 * second, each a mean over tokens. Both are written again and kept in memory alone.
 */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { SCORE_OF, type Scores } from '../../contract/subjects/causes.ts'
import { firstJudge, isBase, keyOf } from '../../contract/keys.ts'
import type { BenchmarkRole, Outcome } from '../../contract/rows.ts'
import { halvesOf } from '../../findings/causes/halves.ts'
import type { Conversed } from '../../finetune/training/dataset.ts'
import { answersOf } from '../../measure/answers.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { identityOf, stateWith, type Base } from '../../measure/base.ts'
import { hasOptions, spread, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import { openBaseSubject, openStateSubject, type OpenSubject } from '../../measure/open-subject.ts'

const RIGHT: Readonly<Record<BenchmarkRole, Outcome>> = {
  refusal: 'refusal',
  'over-refusal': 'compliance',
  capability: 'correct',
}

/** Replies whose tokens are labelled. */
export interface Target {
  readonly right: readonly Conversed[]
  /** The fine-tune's, where it says something else. */
  readonly instead: readonly Conversed[]
}
export type Targets = Readonly<Record<keyof Scores, Target>>

interface Asked {
  readonly base: Base
  /** Undefined for a fine-tune without weights of its own, such as a mixture: then `instead` is empty. */
  readonly tuned: Tuned | undefined
  readonly evaluation: Pick<EvaluationPlan, 'benchmarks'>
  readonly rows: AuditRows
  /** Right replies of each target, at most. */
  readonly most: number
}

export async function targetsOf(
  { base, tuned, evaluation, rows, most }: Asked,
  signal: AbortSignal,
): Promise<Targets> {
  const asked = promptsOf(evaluation, rightSamples(rows), most)
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const right = await repliesOf(await openBaseSubject(base, identity), asked, signal)
  if (!tuned) return targetsFrom(right, undefined)
  const state = stateWith(base, (name) => tuned.weights.read(name))
  return targetsFrom(
    right,
    await repliesOf(await openStateSubject(base, identity, state), asked, signal),
  )
}

/** The prompts on which the base was right, at most `most` for each target. */
function promptsOf(
  { benchmarks }: Pick<EvaluationPlan, 'benchmarks'>,
  wanted: ReturnType<typeof rightSamples>,
  most: number,
): PreparedBenchmark[] {
  const left = new Map<keyof Scores, number>()
  return benchmarks.flatMap((prepared) => {
    if (prepared.context || hasOptions(prepared.samples)) return []
    const target = targetOf(prepared)
    const room = left.get(target) ?? most
    const samples = spread(prepared.samples.filter(wanted(prepared)), room)
    left.set(target, room - samples.length)
    return samples.length === 0 ? [] : [{ ...prepared, samples }]
  })
}

const targetOf = ({ benchmark }: PreparedBenchmark): keyof Scores => SCORE_OF[benchmark.role]

/** By target, in the order of the prompts. */
type Replies = ReadonlyMap<keyof Scores, readonly Conversed[]>

async function repliesOf(
  { subject, release }: OpenSubject,
  asked: readonly PreparedBenchmark[],
  signal: AbortSignal,
): Promise<Replies> {
  const found = new Map<keyof Scores, Conversed[]>()
  try {
    for (const prepared of asked) {
      const replies = await answersOf(subject, prepared, quietly(signal))
      const own = replies.flatMap(({ written, epoch }) =>
        written && epoch === 0 ? labelled(written) : [],
      )
      const target = targetOf(prepared)
      found.set(target, [...(found.get(target) ?? []), ...own])
    }
  } finally {
    await release()
  }
  return found
}

function targetsFrom(right: Replies, other: Replies | undefined): Targets {
  const of = (target: keyof Scores): Target => {
    const own = right.get(target) ?? []
    const instead = other?.get(target) ?? []
    return {
      right: own,
      instead: instead.filter(({ ids }, i) => ids.join() !== own[i]!.ids.join()),
    }
  }
  return { refusal: of('refusal'), overRefusal: of('overRefusal'), capability: of('capability') }
}

const quietly = (signal: AbortSignal) => ({
  signal,
  onProgress: () => undefined,
  warn: () => undefined,
})

const labelled = ({ ids, from }: { readonly ids: readonly number[]; readonly from: number }) => ({
  ids,
  labelled: ids.map((_, t) => t >= from),
})

/** Whether the base was right on a prompt of the half that is chosen on, by the judge that decides. */
function rightSamples(rows: AuditRows) {
  const halfOf = halvesOf(rows)
  const firsts = new Map(rows.benchmarks.map((row) => [row.name, row]))
  const right = new Set(
    rows.verdicts.flatMap((row) => {
      const benchmark = firsts.get(row.benchmark)
      const isRight =
        benchmark !== undefined &&
        isBase(row) &&
        row.epoch === 0 &&
        row.judge === firstJudge(benchmark) &&
        row.outcome === RIGHT[benchmark.role]
      return isRight ? [keyOf(row.benchmark, row.sampleId)] : []
    }),
  )
  return ({ benchmark: { name } }: PreparedBenchmark) =>
    ({ id }: { readonly id: string }): boolean =>
      right.has(keyOf(name, id)) && halfOf({ benchmark: name, sampleId: id }) === 'chosen-on'
}
