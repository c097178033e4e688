/** @file Opens a model state as a subject: a causal model through its cached session, an encoder through its classification head. */
import type { SubjectIdentity } from '../contract/rows.ts'
import type { CachedSession, ModelState } from '../inference/cached-graph.ts'
import { classSubject } from '../inference/class-subject.ts'
import { openEncoderSession } from '../inference/encoder-session.ts'
import { mergedWeights } from '../inference/open-state.ts'
import type { Subject } from '../inference/subject.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'
import { onDisk } from '../models/weights/weights-on-disk.ts'
import {
  LONGEST,
  openOwnSession,
  openSession,
  stateWith,
  subjectOf,
  tunedState,
  type Base,
} from './base.ts'
import type { Candidate } from './candidate.ts'
import { isEncoder } from '../models/registry.ts'

export interface OpenSubject {
  readonly subject: Subject
  readonly release: () => Promise<void>
}

/** The two forms of a state; only the one that is needed is created. */
interface Forms {
  readonly state: () => ModelState
  readonly session: () => Promise<CachedSession>
}

/** The base with its own weights. */
export const openBaseSubject = (base: Base, identity: SubjectIdentity): Promise<OpenSubject> =>
  open(base, identity, {
    state: () => ({ model: base.model, frozen: base.weights }),
    session: () => openOwnSession(base, base.device),
  })

/** Other weights or an adapter, in the base's graph. */
export const openStateSubject = (
  base: Base,
  identity: SubjectIdentity,
  state: ModelState,
): Promise<OpenSubject> =>
  open(base, identity, {
    state: () => state,
    session: () => openSession(state, base.device),
  })

/** Other weights in the base's shapes, which stand in a file at `path` while the subject is open. */
export async function openTunedSubject(
  base: Base,
  identity: SubjectIdentity,
  tuned: TunedWeights,
  path: string,
): Promise<OpenSubject> {
  const names = tuned.changed ?? base.model.weights.keys()
  const kept = isEncoder(base.model)
    ? undefined
    : await onDisk(base.weights, { names, make: (name) => tuned.read(name) }, path)
  const state = kept ? { model: base.model, frozen: kept.weights } : tunedState(base, tuned)
  const { subject, release } = await openStateSubject(base, identity, state)
  return {
    subject,
    async release() {
      await release()
      await kept?.remove()
    },
  }
}

/** A candidate, in its own graph if it has one. */
export function openCandidateSubject(candidate: Candidate): Promise<OpenSubject> {
  const { base, identity, weights, openSession: session } = candidate
  const state = () => candidate.mixture ?? stateWith(base, (name) => weights.read(name))
  return open(base, identity, { state, session })
}

async function open(base: Base, identity: SubjectIdentity, forms: Forms): Promise<OpenSubject> {
  if (!isEncoder(base.model)) {
    const session = await forms.session()
    return { subject: subjectOf(base, identity, session), release: () => session.release() }
  }
  const { model, device, batchSize } = base
  const { tokenizer } = base.open
  const limits = { maxPositions: LONGEST, padId: tokenizer.padId, batchSize }
  const state = forms.state()
  const session = openEncoderSession(state, device, limits)
  const network = async () => ({ model, device, weights: await mergedWeights(state, device) })
  const subject = classSubject({ identity, model, tokenizer, session, network })
  return { subject, release: () => session.release() }
}
