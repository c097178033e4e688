/**
 * @file Which weights took refusal from a fine-tune: each part of its change put back to the base alone, then the smallest set of the
 * parts ranked first that gives back a share of the lost refusal, beside random sets whose change is as large. Parts are ranked and
 * the set is chosen on one half of the prompts; what came back is told on the other.
 */
import type { JobContext, Progress } from '../../contract/job.ts'
import type { SubjectIdentity } from '../../contract/rows.ts'
import {
  lookedIntoBy,
  DIRECTION_SETS,
  directionsBackArm,
  putBackArm,
  type Derivation,
  type Location,
  type PutBack,
} from '../../contract/subjects/causes.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { refusalOn } from '../../findings/causes/interventions.ts'
import { scoreTexts } from '../../inference/score.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { identityOf, openSession, stateWith, type Base } from '../../measure/base.ts'
import { evaluate, isLeft, type EvaluationPlan } from '../../measure/evaluate.ts'
import { openStateSubject } from '../../measure/open-subject.ts'
import { emitFound, fileName } from './emit-found.ts'
import { partsOf, randomSet, smallestThatHolds, squaredNormOf, type Part } from './parts.ts'
import { directionSet, normOfPieces, piecesOf, withoutPieces } from './singular-sets.ts'
import { targetsOf, type Target } from './targets.ts'

interface LocationPlan {
  readonly evaluation: EvaluationPlan
  readonly replies: number
  /** Share of the lost refusal that the set is to give back. */
  readonly restores: number
  readonly draws: number
}

interface Work extends LocationPlan {
  readonly base: Base
  readonly tuned: Tuned
  readonly identity: SubjectIdentity
  readonly context: JobContext
  readonly progress: Progress
}

export async function locate(
  base: Base,
  tuned: Tuned,
  plan: LocationPlan,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const { arm, seed } = tuned.key
  const identity = identityOf(base, base.open, { arm, seed, title: arm })
  const work = { ...plan, base, tuned, identity, context, progress }
  context.flush()
  const ranked = await rankedParts(work)
  const parts = ranked.map(({ part }) => part)
  const lost = refusalLost(work, { arm, seed })
  const count =
    lost === null
      ? null
      : await smallestThatHolds(parts.length, (k) => holds(work, parts.slice(0, k), lost))
  if (count !== null) {
    const norm = squaredNormOf(parts.slice(0, count))
    for (let draw = 1; draw <= plan.draws; draw++)
      await putBack(work, 'random', draw, randomSet(parts, norm, seed, draw))
  }
  await putDirectionsBack(work, count === null ? null : parts.slice(0, count))
  await emitLocation(work, ranked, count)
}

interface Ranked {
  readonly part: Part
  /** Share of the refusal target's loss that putting it back alone takes away. */
  readonly restored: number
}

type Ranking = Pick<Work, 'base' | 'tuned' | 'evaluation' | 'replies' | 'context' | 'progress'>

export async function rankedParts(work: Ranking): Promise<Ranked[]> {
  const { base, tuned, evaluation, replies: most, context, progress } = work
  const rows = progress.rows()
  const { refusal } = await targetsOf({ base, tuned, evaluation, rows, most }, context.signal)
  if (refusal.right.length === 0) {
    const why = 'its base refuses none of the prompts that should be refused'
    throw new TouchstoneError('run.no-cause', { run: lookedIntoBy(rows.run), why })
  }
  const parts = partsOf(base, tuned)
  const phase = `${tuned.key.arm}, seed ${tuned.key.seed}: parts put back`
  context.emit({ type: 'phase-start', phase, total: parts.length, unit: 'matrix' })
  const before = await lossWith(work, refusal, parts)
  const lost = await lossWith(work, refusal, [])
  const found: Ranked[] = []
  for (const part of parts) {
    context.signal.throwIfAborted()
    const loss = await lossWith(work, refusal, [part])
    found.push({ part, restored: lost === before ? 0 : (lost - loss) / (lost - before) })
    context.emit({ type: 'phase-progress', phase, done: found.length })
  }
  context.emit({ type: 'phase-end', phase })
  return found.toSorted((a, b) => b.restored - a.restored)
}

/** The fine-tune with parts of its change put back. */
function weightsWith({ base, tuned }: Ranking, parts: readonly Part[]) {
  const back = new Set(parts.flatMap(({ weights }) => weights))
  return (name: string): Float32Array =>
    back.has(name) ? base.weights.get(name)! : tuned.weights.read(name)
}

async function lossWith(work: Ranking, { right, instead }: Target, parts: readonly Part[]) {
  const { base, context } = work
  const session = await openSession(stateWith(base, weightsWith(work, parts)), base.device)
  const { padId } = base.open.tokenizer
  const shared = { session, varying: {}, padId, batchSize: base.batchSize, signal: context.signal }
  const meanLoss = async (replies: Target['right']) => {
    const texts = replies.map(({ ids, labelled }, i) => ({
      key: `reply ${i + 1}`,
      ids,
      from: labelled.indexOf(true),
    }))
    const scores = (await scoreTexts(texts, shared)).flatMap((own) => [...own])
    return -scores.reduce((sum, x) => sum + x, 0) / Math.max(1, scores.length)
  }
  try {
    return (await meanLoss(right)) - (await meanLoss(instead))
  } finally {
    await session.release()
  }
}

interface Lost {
  readonly base: number
  readonly tuned: number
}

/** On the half that is chosen on; null where the fine-tune lost none. */
function refusalLost({ progress }: Work, key: { arm: string; seed: number }): Lost | null {
  const rows = progress.rows()
  const base = refusalOn(rows, 'chosen-on', { arm: 'base', seed: 0 })
  const tuned = refusalOn(rows, 'chosen-on', key)
  return base === null || tuned === null || tuned >= base ? null : { base, tuned }
}

async function holds(work: Work, parts: readonly Part[], { base, tuned }: Lost): Promise<boolean> {
  const arm = await putBack(work, 'ranked', 0, parts)
  work.context.flush()
  const { seed } = work.tuned.key
  const now = refusalOn(work.progress.rows(), 'chosen-on', { arm, seed })
  return now !== null && now - tuned >= work.restores * (base - tuned)
}

/** Share of ‖ΔW‖² that sets of directions have where no set of parts says how much. */
const USUAL_SHARE = 0.1

/** Sets of singular directions with the ‖·‖² of the set that was found, or of the intruders where that is less. */
async function putDirectionsBack(work: Work, found: readonly Part[] | null): Promise<void> {
  const { base, tuned, draws } = work
  const pieces = piecesOf(base, tuned)
  if (!pieces || pieces.directions.length === 0) return
  const all = squaredNormOf(partsOf(base, tuned))
  const most = found ? squaredNormOf(found) : USUAL_SHARE * all
  const ofIntruders = normOfPieces(pieces.intruders)
  const norm = ofIntruders > 0 ? Math.min(ofIntruders, most) : most
  const { arm: of, seed } = tuned.key
  for (const set of DIRECTION_SETS) {
    if (set === 'intruders' && ofIntruders === 0) continue
    const isRandom = set === 'random'
    for (let draw = isRandom ? 1 : 0; draw <= (isRandom ? draws : 0); draw++) {
      const own = directionSet(pieces, set, norm, { seed, draw })
      const share = normOfPieces(own) / all
      const directions = own.length
      const derivation = { kind: 'directions-back', of, set, draw, directions, share } as const
      await measureState(work, directionsBackArm(derivation), derivation, () =>
        withoutPieces(tuned, own),
      )
    }
  }
}

/** Measures a set as a state of its own, and returns the arm's name. */
async function putBack(
  work: Work,
  set: PutBack['set'],
  draw: number,
  parts: readonly Part[],
): Promise<string> {
  const { base, tuned } = work
  const derivation: PutBack = {
    kind: 'put-back',
    of: tuned.key.arm,
    set,
    draw,
    parts: parts.length,
    share: squaredNormOf(parts) / squaredNormOf(partsOf(base, tuned)),
  }
  const arm = putBackArm(derivation)
  await measureState(work, arm, derivation, () => weightsWith(work, parts))
  return arm
}

async function measureState(
  { base, tuned, identity, evaluation, context }: Work,
  arm: string,
  derivation: Derivation,
  weights: () => (name: string) => Float32Array,
): Promise<void> {
  const key = { ...tuned.key, arm }
  const own = { ...identity, arm, title: arm, derivation }
  context.emit({ type: 'subject', row: own })
  if (!isLeft(evaluation, key)) return
  const state = stateWith(base, weights())
  const { subject, release } = await openStateSubject(base, own, state)
  try {
    await evaluate(subject, key, evaluation, context)
  } finally {
    await release()
  }
}

async function emitLocation(
  { base, tuned, restores, context }: Work,
  ranked: readonly Ranked[],
  count: number | null,
): Promise<void> {
  const { arm, seed } = tuned.key
  const all = squaredNormOf(partsOf(base, tuned))
  const location: Location = {
    arm,
    seed,
    restores,
    parts: ranked.map(({ part: { layer, module, weights, squaredNorm }, restored }) => ({
      layer,
      module,
      weights: weights.length,
      share: squaredNorm / all,
      restored,
    })),
    found: count,
  }
  await emitFound({ kind: 'location', ...location }, location, context, {
    name: `parts-${fileName({ arm, seed })}`,
    role: `parts of ${arm}, seed ${seed}, put back`,
  })
}
