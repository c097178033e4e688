/** @file What did a fine-tune's harm: rows of its data and parts of its weights, each held to an intervention. */
import { z } from 'zod'
import { RemedyState } from './remedy-state.ts'
import { Direction } from './direction.ts'

/** Jobs that look into a run that has ended, named in their configuration's `run`. */
export const CAUSE_JOBS = ['locate', 'attribute', 'direction'] as const

const OfRun = z.object({ run: z.string() })
/** The run that such a job looks into, or remedies mend the fine-tunes of; of any other job its own. */
export function lookedIntoBy({ id, config }: { readonly id: string; readonly config: unknown }) {
  const { data } = OfRun.safeParse(config)
  return data?.run ?? id
}

/** Rows that a fine-tune is trained again without: those ranked first, and two controls of as many. */
export const LEFT_OUT = ['ranked', 'random', 'matched'] as const
export const LeftOut = z.enum(LEFT_OUT)
export type LeftOut = z.infer<typeof LeftOut>

/**
 * Singular directions of the change that are put back: along intruder dimensions of the fine-tune, those with the largest σ, with the
 * smallest, and at random; all sets have the same squared norm.
 */
export const DIRECTION_SETS = ['intruders', 'largest', 'smallest', 'random'] as const
const DirectionSet = z.enum(DIRECTION_SETS)

/** What makes a state of a fine-tune (`of`) to learn a cause or to mend it; it is held beside base and fine-tune and is no candidate itself. */
export const Derivation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('without-rows'), of: z.string(), rows: LeftOut, count: z.int() }),
  z.object({
    kind: z.literal('put-back'),
    of: z.string(),
    /** The parts ranked first, or as large a change at random. */
    set: z.enum(['ranked', 'random']),
    /** Counts random sets, from 1; 0 for a ranked one. */
    draw: z.int(),
    parts: z.int(),
    /** ‖ΔW‖² of what was put back over that of the whole change. */
    share: z.number(),
  }),
  RemedyState,
  z.object({
    kind: z.literal('directions-back'),
    of: z.string(),
    set: DirectionSet,
    /** Counts random sets, from 1; 0 for another. */
    draw: z.int(),
    /** Singular directions of ΔW, over all matrices; the last one may be put back in part. */
    directions: z.int(),
    /** ‖ΔW‖² of what was put back over that of the whole change. */
    share: z.number(),
  }),
  z.object({
    kind: z.literal('steered'),
    of: z.string(),
    /** What is added to the residual stream after `layer`: the base's direction of refusal, or as long a one at random. It is only ever added. */
    along: z.enum(['refusal', 'random']),
    layer: z.int(),
  }),
])
export type Derivation = z.infer<typeof Derivation>

/** The key of such an arm in stored rows. It is not read back: `SubjectIdentity.derivation` holds the fields. */
export const withoutRowsArm = ({ of, rows, count }: Derivation & { kind: 'without-rows' }) =>
  `without:${count} ${rows}:${of}`

export type PutBack = Derivation & { kind: 'put-back' }
export const putBackArm = ({ of, set, draw, parts }: PutBack): string =>
  `put-back:${parts} ${set}${set === 'random' ? ` ${draw}` : ''}:${of}`

export type DirectionsBack = Derivation & { kind: 'directions-back' }
export const directionsBackArm = ({ of, set, draw }: DirectionsBack): string =>
  `directions-back:${set}${draw === 0 ? '' : ` ${draw}`}:${of}`

export type Steered = Derivation & { kind: 'steered' }
export const steeredArm = ({ of, along }: Steered): string => `steered:${along}:${of}`

/**
 * How a row's gradient g at a checkpoint becomes the update that its loss alone would make: `plain` g itself, `scaled` g/(√v̂ + ε),
 * `update` (β1·m + (1 − β1)·g)/(1 − β1ᵗ) over √v̂′ + ε, v̂′ with g² added (LESS, Xia et al. 2024, §3.1).
 */
export const GRADIENT_FORMS = ['plain', 'scaled', 'update'] as const
export const GradientForm = z.enum(GRADIENT_FORMS)
export type GradientForm = z.infer<typeof GradientForm>

const Scores = z.object({ refusal: z.number(), overRefusal: z.number(), capability: z.number() })
export type Scores = z.infer<typeof Scores>
/** What of the base’s right replies a row pushes against: the roles of benchmarks. */
export const RowTarget = z.enum(['refusal', 'over-refusal', 'capability'])
export type RowTarget = z.infer<typeof RowTarget>

/** By what rows are ranked, as scores name it. */
export const SCORE_OF: Readonly<Record<RowTarget, keyof Scores>> = {
  refusal: 'refusal',
  'over-refusal': 'overRefusal',
  capability: 'capability',
}

/** Right replies of the base that each target is taken on. */
const Counts = z.object({ refusal: z.int(), overRefusal: z.int(), capability: z.int() })

export const RankedRow = z.object({
  /** From 1, as in the data. */
  row: z.int().min(1),
  /** The beginning of what the row asks; its reply is shown nowhere. */
  asked: z.string(),
  tokens: z.int(),
  /** At the first checkpoint, nats a token. */
  loss: z.number(),
  /** The first row of its group of near-duplicates; null where it has none. */
  group: z.int().nullable(),
  scores: z.record(GradientForm, Scores),
})
export type RankedRow = z.infer<typeof RankedRow>

/**
 * The rows of a fine-tune's data by how their updates raise the loss of what the base said rightly, against what it says instead: −Σ η⟨∇L, update⟩ over
 * `checkpoints`, in nats. A positive score pushes against it.
 */
export const Attribution = z.object({
  arm: z.string(),
  seed: z.int(),
  /** By the score of what rows are ranked; absent in runs of earlier versions, which ranked by refusal alone. */
  target: RowTarget.optional(),
  /** The form by which rows are ranked. */
  form: GradientForm,
  checkpoints: z.array(z.int()),
  /** Numbers a side that each gradient tensor was projected to; null: none was. */
  projection: z.int().nullable(),
  rows: z.int(),
  replies: Counts,
  /** The first by the score of the target, of the ranking form. */
  ranked: z.array(RankedRow),
  /** Mean score of the target of consecutive parts of the data, in its order. */
  parts: z.array(
    z.object({ first: z.int(), last: z.int(), mean: z.number(), highest: z.number() }),
  ),
})
export type Attribution = z.infer<typeof Attribution>

const Restored = z.object({
  benchmark: z.string(),
  base: z.number(),
  tuned: z.number(),
  after: z.number(),
  /** (after − tuned)/(base − tuned); null where the fine-tune lost nothing. */
  share: z.number().nullable(),
  /** Of after against tuned, on the same prompts. */
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pValue: z.number(),
  n: z.int(),
})
export type Restored = z.infer<typeof Restored>

/** A state that was made of a fine-tune, on the prompts that nothing was chosen by. */
export const Intervention = z.object({
  arm: z.string(),
  seed: z.int(),
  step: z.int(),
  of: z.string(),
  derivation: Derivation,
  restored: z.array(Restored),
})
export type Intervention = z.infer<typeof Intervention>

/** The parts of a fine-tune's change by how much of the refusal target's loss each takes away when it alone is put back. */
export const Location = z.object({
  arm: z.string(),
  seed: z.int(),
  /** Share of the lost refusal that the set of parts was to give back. */
  restores: z.number(),
  /** Ranked; `layer` is null for weights in no block, `share` is of ‖ΔW‖². */
  parts: z.array(
    z.object({
      layer: z.int().nullable(),
      module: z.string(),
      weights: z.int(),
      share: z.number(),
      restored: z.number(),
    }),
  ),
  /** How many of the first parts give it back; null where the fine-tune lost none, or all parts together do not. */
  found: z.int().nullable(),
})
export type Location = z.infer<typeof Location>

export const Causes = z.object({
  attributions: z.array(Attribution),
  locations: z.array(Location),
  /** Absent in runs of earlier versions. */
  directions: z.array(Direction).optional(),
  interventions: z.array(Intervention),
})
export type Causes = z.infer<typeof Causes>
