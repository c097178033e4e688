/** @file A model state opened for questions: one that writes answers through its cache, one that names classes through its head. */
import type { SubjectIdentity } from '../contract/rows.ts'
import type { CachedSession, ModelState } from '../inference/cached-graph.ts'
import { classSubject } from '../inference/class-subject.ts'
import { openEncoderSession } from '../inference/encoder-session.ts'
import type { Subject } from '../inference/subject.ts'
import { LONGEST, openOwnSession, openSession, stateWith, subjectOf, type Base } from './base.ts'
import type { Candidate } from './candidate.ts'
import { isEncoder } from '../models/registry.ts'

export interface Asked {
  readonly subject: Subject
  readonly release: () => Promise<void>
}

/** The two forms in which a state may be at hand; each is made where it is needed. */
interface Forms {
  readonly state: () => ModelState
  readonly session: () => Promise<CachedSession>
}

/** The base as it lies. */
export const askBase = (base: Base, identity: SubjectIdentity): Promise<Asked> =>
  ask(base, identity, {
    state: () => ({ model: base.model, frozen: base.weights }),
    session: () => openOwnSession(base, base.device),
  })

/** Weights, or an adapter, on the base's graph. */
export const askState = (
  base: Base,
  identity: SubjectIdentity,
  state: ModelState,
): Promise<Asked> =>
  ask(base, identity, {
    state: () => state,
    session: () => openSession(state, base.device),
  })

/** Through its own graph where it brings one. */
export function askCandidate(candidate: Candidate): Promise<Asked> {
  const { base, identity, weights, openSession: session } = candidate
  const state = () => stateWith(base, (name) => weights.read(name))
  return ask(base, identity, { state, session })
}

async function ask(base: Base, identity: SubjectIdentity, forms: Forms): Promise<Asked> {
  if (!isEncoder(base.model)) {
    const session = await forms.session()
    return { subject: subjectOf(base, identity, session), release: () => session.release() }
  }
  const { model, device, batchSize } = base
  const { tokenizer } = base.open
  const limits = { maxPositions: LONGEST, padId: tokenizer.padId, batchSize }
  const session = openEncoderSession(forms.state(), device, limits)
  const subject = classSubject({ identity, model, tokenizer, session })
  return { subject, release: () => session.release() }
}
