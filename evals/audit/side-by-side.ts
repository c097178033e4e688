/**
 * @file Several model states measured by one plan: LoRA adapters of the base side by side, in one pass a question, and every
 * other state by itself. Each is asked the same and is told of by the same events either way.
 */
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { createPanel, type Panel } from '../inference/panel.ts'
import { canStack, openStack, stackKind, type LowRankChanges } from '../inference/stack.ts'
import { tokenSubject, type Subject } from '../inference/subject.ts'
import type { JobContext } from '../jobs/job.ts'
import { LONGEST, type Base } from './base.ts'
import { evaluate, HELD_OUT, isMeasured, NEUTRAL, type EvaluationPlan } from './evaluate.ts'

export interface State {
  readonly key: SubjectKey
  readonly identity: SubjectIdentity
  /** All that makes it another model than the base, where that is s·B·A of some layers. */
  readonly lowRank?: LowRankChanges | undefined
  /** A session of its own. */
  readonly ask: () => Promise<{
    readonly subject: Subject
    readonly release: () => Promise<void>
  }>
}

type LowRankState = State & { readonly lowRank: LowRankChanges }

/** Adapters in one pass: more would leave each so few rows that little is gained. */
const MOST = 16

export async function measureAll(
  base: Base,
  states: readonly State[],
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const left = states.filter(({ key }) =>
    partsOf(plan).some(({ name }) => !isMeasured(plan, key, name)),
  )
  const groups = groupsOf(base, left)
  const grouped = new Set<State>(groups.flat())
  for (const state of left) {
    if (!grouped.has(state)) await measureAlone(state, plan, context)
    const group = groups.find(([first]) => first === state)
    if (group) await measureTogether(base, group, plan, context)
  }
}

/** Two at least: one adapter costs the base's product whole, and merged it costs no other. */
function groupsOf(base: Base, states: readonly State[]): LowRankState[][] {
  const stackable = states.filter(
    (state): state is LowRankState =>
      state.lowRank !== undefined && canStack(base.model, state.lowRank),
  )
  const kinds = Map.groupBy(stackable, ({ lowRank }) => stackKind(lowRank))
  return [...kinds.values()].flatMap(inGroups).filter(({ length }) => length > 1)
}

function inGroups<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / MOST)
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

async function measureTogether(
  base: Base,
  group: readonly LowRankState[],
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const weights = new Set(group[0]!.lowRank.keys())
  const own = { model: base.model, frozen: base.weights }
  const stack = await openStack(own, weights, base.device, LONGEST)
  const session = stack.with(group.map(({ lowRank }) => lowRank))
  const { padId } = base.open.tokenizer
  const panel = createPanel({ session, count: group.length, padId, batchSize: base.batchSize })
  const subjects = group.map(({ identity }, k) =>
    tokenSubject({
      ...{ identity, open: base.open, model: panel.member(k) },
      maxPositions: session.maxPositions,
    }),
  )
  const many = `${group.length} adapters of the base are measured side by side`
  context.emit({ type: 'log', level: 'info', message: many })
  try {
    for (const part of partsOf(plan)) await measurePart(part, { group, subjects, panel }, context)
  } finally {
    await stack.release()
    await plan.baseScores?.release()
  }
}

interface Seated {
  readonly group: readonly State[]
  readonly subjects: readonly Subject[]
  readonly panel: Panel
}

async function measurePart(
  { name, plan }: Part,
  { group, subjects, panel }: Seated,
  context: JobContext,
): Promise<void> {
  const asked = [...group.keys()].filter((k) => !isMeasured(plan, group[k]!.key, name))
  panel.listen(asked)
  for (const k of asked) await evaluate(subjects[k]!, group[k]!.key, plan, context)
}

interface Part {
  readonly name: string
  readonly plan: EvaluationPlan
}

/** One measurement after another, so that all states have one before any has the next: a kill costs that one alone. */
function partsOf(plan: EvaluationPlan): Part[] {
  const { benchmarks, neutral, heldOut = [], texts = [], baseScores } = plan
  // Whoever measures side by side lets go of the base's session in the end.
  const held = baseScores && { ...baseScores, release: () => Promise.resolve() }
  const nothing = { ...plan, benchmarks: [], neutral: [], heldOut: [], texts: [], baseScores: held }
  return [
    ...benchmarks.map((each) => ({
      name: each.benchmark.name,
      plan: { ...nothing, benchmarks: [each] },
    })),
    ...(neutral.length > 0 ? [{ name: NEUTRAL, plan: { ...nothing, neutral } }] : []),
    ...(heldOut.length > 0 ? [{ name: HELD_OUT, plan: { ...nothing, heldOut } }] : []),
    ...texts.map((text) => ({ name: text.name, plan: { ...nothing, texts: [text] } })),
  ]
}
