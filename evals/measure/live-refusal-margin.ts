/**
 * @file The refusal margin during training: at regular steps, the mean score of `refusal-logprob` over a few prompts of the
 * suite, which are not training data. Metrics `leaning/refuse` (prompts to refuse) and `leaning/comply` (prompts to answer),
 * in nats. Compare changes: the zero is not calibrated.
 *
 * Trained weights are inputs of one session, so a new state needs no new session. Evaluations freeze them instead, because
 * their bits must not depend on the batch; here the batch is always the same. See docs/methods/refusal.md.
 */
import type { Sample, SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import type { TrainingSession } from '../finetune/training/session.ts'
import type { TrainingState } from '../finetune/training/state.ts'
import type { JobContext } from '../contract/job.ts'
import { without } from '../models/weights/small-weights.ts'
import { refusalMargins } from '../judges/refusal-logprob.ts'
import type { Subject } from '../inference/subject.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import { identityOf, openSession, stateWith, subjectOf, type Base } from './base.ts'
import { spread, type PreparedBenchmark } from './benchmark-sources.ts'

const KINDS = ['refuse', 'comply'] as const
/** A measurement is not aborted, so that a saved state has all its metrics. */
const NEVER = AbortSignal.any([])
/** Prompts of each kind. */
const PROMPTS = 8

export interface RefusalMarginPlan {
  readonly every: number
  /** By expected behaviour; kinds without a prompt in the suite are absent. */
  readonly prompts: ReadonlyMap<(typeof KINDS)[number], readonly Sample[]>
}

/** Undefined if not requested (`every` is null), or if the suite has no prompt to refuse or answer. */
export function refusalMarginPlan(
  every: number | null,
  benchmarks: readonly PreparedBenchmark[],
): RefusalMarginPlan | undefined {
  const all = benchmarks.flatMap(({ samples }) => samples)
  const prompts = new Map(
    KINDS.map((kind) => [
      kind,
      spread(
        all.filter(({ expected }) => expected.kind === kind),
        PROMPTS,
      ),
    ]),
  )
  for (const kind of KINDS) if (prompts.get(kind)!.length === 0) prompts.delete(kind)
  return every === null || prompts.size === 0 ? undefined : { every, prompts }
}

export const promptsOf = ({ prompts }: RefusalMarginPlan): Sample[] => [...prompts.values()].flat()

interface LiveRefusalMargin {
  /** Emits the metrics of this step, if it is a multiple of `every`. */
  measure(key: SubjectKey, context: Pick<JobContext, 'emit'>): Promise<void>
  release(): Promise<void>
}

export async function openRefusalMargin(
  base: Base,
  { every, prompts }: RefusalMarginPlan,
  session: TrainingSession,
  state: TrainingState,
  merged?: () => TunedWeights,
): Promise<LiveRefusalMargin> {
  const { method } = session
  const identity = identityOf(base, base.open, { arm: method.name, title: method.title })
  if (merged) return marginOfWeights(base, { every, prompts }, identity, merged)
  const views = namedViews(session.table, state.parameters)
  const frozen = frozenWeights(session.weights, views)
  const opened = await openSession({ model: base.model, frozen, method }, base.device)
  const varying = Object.fromEntries(
    [...views].map(([name, { shape, data }]) => [name, { data, dims: shape }]),
  )
  const subject = subjectOf(base, identity, opened, varying)
  return {
    async measure(key, context) {
      if (key.step % every !== 0) return
      await state.deviceResident?.syncToHost()
      await emitMargins(prompts, subject, key, context)
    },
    release: () => opened.release(),
  }
}

/** Of a method whose weights are made of its state: a session for each measurement. */
const marginOfWeights = (
  base: Base,
  { every, prompts }: RefusalMarginPlan,
  identity: SubjectIdentity,
  merged: () => TunedWeights,
): LiveRefusalMargin => ({
  async measure(key, context) {
    if (key.step % every !== 0) return
    const weights = merged()
    const form = stateWith(base, (name) => weights.read(name))
    const opened = await openSession(form, base.device)
    try {
      await emitMargins(prompts, subjectOf(base, identity, opened), key, context)
    } finally {
      await opened.release()
    }
  },
  release: () => Promise.resolve(),
})

async function emitMargins(
  prompts: RefusalMarginPlan['prompts'],
  subject: Subject,
  key: SubjectKey,
  { emit }: Pick<JobContext, 'emit'>,
): Promise<void> {
  for (const [kind, samples] of prompts) {
    const all = await refusalMargins(samples, { subject, signal: NEVER })
    const scores = all.filter((score) => score !== null)
    const value = scores.reduce((sum, score) => sum + score, 0) / scores.length
    // If training diverges, its next step reports that.
    if (Number.isFinite(value))
      emit({ type: 'metric', row: { ...key, name: `leaning/${kind}`, value } })
  }
}

/** The base's weights without those that are trained. */
function frozenWeights(
  weights: TrainingSession['weights'],
  trained: ReadonlyMap<string, unknown>,
): TrainingSession['weights'] {
  const isMoved = [...trained.keys()].some((name) => weights.has(name))
  return isMoved ? without(weights, trained) : weights
}
