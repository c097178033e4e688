/**
 * @file Several model states measured by one plan: LoRA adapters of the base side by side, in one pass a question, and every
 * other state by itself. Each is asked the same and is told of by the same events either way.
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
import type { AnyMethod } from '../finetune/method.ts'
import type { JobContext } from '../contract/job.ts'
import { endsInLowRank } from './arm-adapter.ts'
import type { Asked } from '../measure/asked.ts'
import { LONGEST, type Base } from '../measure/base.ts'
import { isEncoder } from '../models/registry.ts'
import {
  evaluate,
  isLeft,
  isMeasured,
  replying,
  scoring,
  type EvaluationPlan,
  type Measurement,
} from '../measure/evaluate.ts'

export interface State {
  readonly key: SubjectKey
  readonly identity: SubjectIdentity
  /** All that makes it another model than the base, where that is s·B·A of some layers. */
  readonly lowRank?: LowRankChanges | undefined
  /** A session of its own. */
  readonly ask: () => Promise<Asked>
}

/** One that needs no session of its own. */
export type StackedState = Pick<State, 'key' | 'identity'> & { readonly lowRank: LowRankChanges }

/** Adapters in one pass: more would leave each so few rows that little is gained. */
const MOST_TOGETHER = 16

export async function measureAll(
  base: Base,
  states: readonly State[],
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  // Of all, whatever is in already: by itself a state's numbers are rounded otherwise, and a resumed run shall end in the same.
  const groups = groupsOf(base, states)
  const grouped = new Set<Pick<State, 'key'>>(groups.flat())
  const isToAsk = ({ key }: Pick<State, 'key'>) => isLeft(plan, key)
  for (const state of states) {
    if (!grouped.has(state) && isToAsk(state)) await measureAlone(state, plan, context)
    const group = groups.find(([first]) => first === state)
    if (!group?.some(isToAsk)) continue
    const what = `${group.length} adapters of the base are measured side by side`
    await measureTogether(base, group, { evaluation: plan, what }, context)
  }
}

/** What an arm says whose states are to be asked in one pass and cannot be; undefined where they can. */
export function saidAlone(
  base: Base,
  arm: string,
  plan: { readonly method: AnyMethod; readonly methodConfig: unknown },
): string | undefined {
  const why = whyAlone(base, plan)
  return why && `${arm}: states are measured one by one all the same, for ${why}.`
}

/** Why the states of an arm cannot be asked in one pass; undefined where they can. */
function whyAlone(
  base: Base,
  { method, methodConfig }: { readonly method: AnyMethod; readonly methodConfig: unknown },
): string | undefined {
  if (isEncoder(base.model)) return 'a model that names classes reads each text by itself'
  if (base.model.graph) return 'the model is asked through an exported graph'
  if (endsInLowRank(method, methodConfig)) return undefined
  return `${method.title} changes the base by more than low-rank products`
}

/** Two at least: one adapter costs the base's product whole, and merged it costs no other. */
function groupsOf(base: Base, states: readonly State[]): StackedState[][] {
  // Who names classes reads a text whole, through no cache.
  if (isEncoder(base.model)) return []
  const stackable = states.filter(
    (state): state is State & StackedState =>
      state.lowRank !== undefined && canStack(base.model, state.lowRank),
  )
  const kinds = Map.groupBy(stackable, ({ lowRank }) => stackKind(lowRank))
  return [...kinds.values()].flatMap(inGroups).filter(({ length }) => length > 1)
}

/** In order, none larger than a stack may be, and all about as large. */
export function inGroups<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / MOST_TOGETHER)
  const size = Math.ceil(all.length / count)
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size))
}

async function measureAlone(state: State, plan: EvaluationPlan, context: JobContext) {
  const { subject, release } = await state.ask()
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
    const seated = seat(base, group, stack)
    context.emit({ type: 'log', level: 'info', message: what })
    // One after another, so that all states have one before any has the next: a kill costs that one alone.
    const measure = async (measurements: readonly Measurement[]) => {
      for (const { name, run } of measurements) {
        const asked = [...group.keys()].filter((k) => !isMeasured(plan, group[k]!.key, name))
        seated.panel.activate(asked)
        for (const k of asked) await run(seated.subjects[k]!, group[k]!.key, context)
      }
    }
    await measure(replying(plan))
    // Texts are scored without the base, whose weights are packed a third time.
    await plan.baseScores?.release()
    await measure(scoring(plan))
  } finally {
    await stack.release()
    await plan.baseScores?.release()
  }
}

/** Each member a subject like any other, asked through the one stack. */
function seat(
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
