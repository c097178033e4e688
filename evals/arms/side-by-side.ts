/**
 * @file Evaluates several model states by one plan: LoRA adapters of the base together, in one pass per prompt, all other
 * states one by one. Prompts and emitted events are the same in both cases.
 */
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { createPanel, type Panel } from '../inference/panel.ts'
import {
  canStack,
  openStack,
  stackKind,
  type LowRankChanges,
  type StackSession,
} from '../inference/stack.ts'
import { tokenSubject, type Subject } from '../inference/subject.ts'
import type { BoundMethod } from '../finetune/method.ts'
import { emitLog, type JobContext } from '../contract/job.ts'
import { endsInLowRank } from './arm-adapter.ts'
import type { OpenSubject } from '../measure/open-subject.ts'
import { LONGEST, type Base } from '../measure/base.ts'
import { isEncoder } from '../models/registry.ts'
import {
  evaluate,
  isDue,
  isLeft,
  replying,
  scoring,
  type EvaluationPlan,
  type Measurement,
} from '../measure/evaluate.ts'

export interface State {
  readonly key: SubjectKey
  readonly identity: SubjectIdentity
  /** The change from the base, if it is s·B·A of some layers. */
  readonly lowRank?: LowRankChanges | undefined
  /** Opens the state in a session of its own. */
  readonly open: () => Promise<OpenSubject>
}

/** A state that can share the base's session. */
export type StackedState = Pick<State, 'key' | 'identity'> & { readonly lowRank: LowRankChanges }

/** Most adapters in one pass: with more, each has too few rows to gain time. */
const MOST_TOGETHER = 16

export async function measureAll(
  base: Base,
  states: readonly State[],
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  // Groups do not depend on what is measured already: a state alone rounds differently, and a resumed run must give the same numbers.
  // Members of a group answer the same prompts in one pass; with looks each stops where its own claims are decided.
  const groups = plan.looking ? [] : groupsOf(base, states)
  const grouped = new Set<Pick<State, 'key'>>(groups.flat())
  const isStateDue = ({ key }: Pick<State, 'key'>) => isLeft(plan, key)
  for (const state of states) {
    if (!grouped.has(state) && isStateDue(state)) await measureAlone(state, plan, context)
    const group = groups.find(([first]) => first === state)
    if (!group?.some(isStateDue)) continue
    const what = `${group.length} adapters of the base are measured side by side`
    await measureTogether(base, group, { evaluation: plan, what }, context)
  }
}

/** The log message for an arm whose states cannot be evaluated in one pass; undefined if they can. */
export function notTogetherNote(base: Base, arm: string, method: BoundMethod): string | undefined {
  const why = whyAlone(base, method)
  return why && `${arm}: checkpoints are measured one by one all the same, for ${why}.`
}

/** The reason why the states of an arm cannot be evaluated in one pass; undefined if they can. */
function whyAlone(base: Base, method: BoundMethod): string | undefined {
  if (isEncoder(base.model)) return 'a model that names classes reads each text by itself'
  if (base.model.graph) return 'the model is asked through an exported graph'
  if (endsInLowRank(method)) return undefined
  return `${method.title} changes the base by more than low-rank products`
}

/** Groups have at least two states, because a single adapter is faster when merged. */
function groupsOf(base: Base, states: readonly State[]): StackedState[][] {
  // Encoders use no cached session.
  if (isEncoder(base.model)) return []
  const stackable = states.filter(
    (state): state is State & StackedState =>
      state.lowRank !== undefined && canStack(base.model, state.lowRank),
  )
  const kinds = Map.groupBy(stackable, ({ lowRank }) => stackKind(lowRank))
  return [...kinds.values()].flatMap(inGroups).filter(({ length }) => length > 1)
}

/** Consecutive groups of about equal size, none larger than `MOST_TOGETHER`. */
export function inGroups<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / MOST_TOGETHER)
  const size = Math.ceil(all.length / count)
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size))
}

async function measureAlone(state: State, plan: EvaluationPlan, context: JobContext) {
  const { subject, release } = await state.open()
  try {
    await evaluate(subject, state.key, plan, context)
  } finally {
    await release()
  }
}

/** Adapters of one kind (`stackKind`). */
export async function measureTogether(
  base: Base,
  group: readonly StackedState[],
  { evaluation: plan, what }: { readonly evaluation: EvaluationPlan; readonly what: string },
  context: JobContext,
): Promise<void> {
  const weights = new Set(group[0]!.lowRank.keys())
  const own = { model: base.model, frozen: base.weights }
  const stack = await openStack(own, weights, base.device, LONGEST)
  try {
    const members = openMembers(base, group, stack)
    emitLog(context, 'info', what)
    // Every state has one measurement before any has the next, so a killed run repeats at most one.
    const measure = async (measurements: readonly Measurement[]) => {
      for (const { name, run } of measurements) {
        const due = [...group.keys()].filter((k) => isDue(plan, group[k]!.key, name))
        members.panel.activate(due)
        for (const k of due) await run(members.subjects[k]!, group[k]!.key, context)
      }
    }
    await measure(replying(plan))
    // Scoring texts does not need the base's own session, which holds another copy of the weights.
    await plan.baseScores?.release()
    await measure(scoring(plan))
  } finally {
    await stack.release()
    await plan.baseScores?.release()
  }
}

/** One subject per state, all in the same stacked session. */
function openMembers(
  base: Base,
  group: readonly StackedState[],
  stack: StackSession,
): { readonly panel: Panel; readonly subjects: readonly Subject[] } {
  const session = stack.with(group.map(({ lowRank }) => lowRank))
  const { padId } = base.open.tokenizer
  const panel = createPanel({ session, count: group.length, padId, batchSize: base.batchSize })
  const { maxPositions } = session
  const subjects = group.map(({ identity }, k) =>
    tokenSubject({ identity, open: base.open, model: panel.member(k), maxPositions }),
  )
  return { panel, subjects }
}
