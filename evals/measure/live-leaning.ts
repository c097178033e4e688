/**
 * @file How a fine-tune leans to refusing while it is trained: each so many steps the mean score of `refusal-logprob` over a
 * few of the suite's prompts, which no training sees. Metrics `leaning/refuse` (prompts that should be refused) and
 * `leaning/comply` (that should be answered), in nats; read changes, for its zero is not calibrated.
 *
 * The weights that train are fed to one session: a state costs no new one. An evaluation, which must give the same bits in any
 * batch, freezes them; here the batch is always the same.
 */
import type { Sample, SubjectKey } from '../contract/rows.ts'
import { broughtBack } from '../finetune/training/brought-back.ts'
import type { AnyMethod } from '../finetune/method.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import type { TrainingSession } from '../finetune/training/train-graph.ts'
import type { JobContext } from '../contract/job.ts'
import { without } from '../models/weights/small-weights.ts'
import { leanings } from '../judges/refusal-logprob.ts'
import { identityOf, openSession, subjectOf, type Base } from './base.ts'
import { spread, type PreparedBenchmark } from './benchmark-sources.ts'

const KINDS = ['refuse', 'comply'] as const
/** A look that was begun is ended: a state is saved with all that was to be said of it. */
const NEVER = AbortSignal.any([])
/** Of each kind. */
const PROMPTS = 8

export interface LeaningPlan {
  readonly every: number
  /** By what a good answer would be; a kind that the suite has not is absent. */
  readonly prompts: ReadonlyMap<(typeof KINDS)[number], readonly Sample[]>
}

/** Undefined where nobody asked, or where no prompt should be refused or answered. */
export function leaningPlan(
  every: number | null,
  benchmarks: readonly PreparedBenchmark[],
): LeaningPlan | undefined {
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

export const promptsOf = ({ prompts }: LeaningPlan): Sample[] => [...prompts.values()].flat()

interface Watched {
  readonly method: AnyMethod
  readonly methodConfig: unknown
  readonly session: TrainingSession
  /** Of the training state: changed in place, step by step. */
  readonly parameters: Float32Array
}

interface LiveLeaning {
  /** Says how the state leans, if it is this step's turn. */
  look(key: SubjectKey, context: Pick<JobContext, 'emit'>): Promise<void>
  release(): Promise<void>
}

export async function openLeaning(
  base: Base,
  { every, prompts }: LeaningPlan,
  { method, methodConfig, session, parameters }: Watched,
): Promise<LiveLeaning> {
  const views = namedViews(session.table, parameters)
  const frozen = stillWeights(session.weights, views)
  const opened = await openSession({ model: base.model, frozen, method, methodConfig }, base.device)
  const varying = Object.fromEntries(
    [...views].map(([name, { shape, data }]) => [name, { data, dims: shape }]),
  )
  const identity = identityOf(base, base.open, { arm: method.name, title: method.title })
  const subject = subjectOf(base, identity, opened, varying)
  return {
    async look(key, { emit }) {
      if (key.step % every !== 0) return
      await broughtBack(parameters)
      for (const [kind, samples] of prompts) {
        const all = await leanings(samples, { subject, signal: NEVER })
        const scores = all.filter((score) => score !== null)
        const value = scores.reduce((sum, score) => sum + score, 0) / scores.length
        // A training that diverges says so itself, at its next step.
        if (Number.isFinite(value))
          emit({ type: 'metric', row: { ...key, name: `leaning/${kind}`, value } })
      }
    },
    release: () => opened.release(),
  }
}

/** The base, which may be kept small, goes on as it lies, unless the training moves weights of its own. */
function stillWeights(
  weights: TrainingSession['weights'],
  moved: ReadonlyMap<string, unknown>,
): TrainingSession['weights'] {
  const isMoved = [...moved.keys()].some((name) => weights.has(name))
  return isMoved ? without(weights, moved) : weights
}
