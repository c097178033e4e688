/** @file Evaluates the base of a job and fine-tunes made elsewhere. */
import { emitLog, type JobContext } from '../contract/job.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { openBaseSubject, openCandidateSubject } from '../measure/open-subject.ts'
import { type Base, identityOf } from '../measure/base.ts'
import { canAnswer, headlessNote } from '../measure/class-evaluation.ts'
import { isUnchanged } from '../measure/alike/unchanged.ts'
import { derivedFrom } from '../measure/derived/derived.ts'
import { asClassifier } from '../measure/classes.ts'
import { type Candidate, candidateNames, openCandidate } from '../measure/candidate.ts'
import { measureRouting } from '../measure/routing.ts'
import type { AuditConfig } from './config.ts'
import { type EvaluationPlan, evaluate } from '../measure/evaluate.ts'
import { type State, measureAll } from '../arms/side-by-side.ts'

/** Evaluates the base, or logs that an encoder without a classification head cannot answer. */
export async function evaluateBaseIfPossible(
  base: Base,
  config: AuditConfig,
  evaluation: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  if (canAnswer(base)) return evaluateBase(base, evaluation, context)
  emitLog(context, 'info', headlessNote(config))
}

export async function evaluateBase(
  base: Base,
  evaluation: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const { subject, release } = await openBaseSubject(base, identity)
  try {
    await evaluate(subject, { arm: 'base', seed: 0, step: 0 }, evaluation, context)
  } finally {
    await release()
  }
}

/**
 * Opens every candidate, so that one that is wrong is known before anything is measured. Each has its own classification head, so
 * `base` is the one without the data's classes.
 */
export async function openCandidates(
  base: Base,
  { candidates }: Pick<AuditConfig, 'candidates'>,
  evaluates: boolean,
): Promise<Candidate[]> {
  const names = candidateNames(candidates)
  const opened: Candidate[] = []
  for (const [i, path] of candidates.entries()) {
    const candidate = await openCandidate(await asClassifier(base, path), path, names[i]!)
    if (evaluates && !canAnswer(candidate.base))
      throw new TouchstoneError('model.no-classes', { path })
    if (evaluates && isUnchanged(candidate.base, candidate)) throw unchanged(path)
    opened.push(candidate)
  }
  return opened
}

const unchanged = (path: string): TouchstoneError =>
  derivedFrom(path)
    ? new TouchstoneError('candidate.made-unchanged', { spec: path })
    : new TouchstoneError('candidate.unchanged', { path })

/** Evaluates each candidate, and returns those whose weights can be compared with the base's. */
export async function evaluateCandidates(
  base: Base,
  candidates: readonly Candidate[],
  evaluation: EvaluationPlan | undefined,
  context: JobContext,
): Promise<Candidate[]> {
  const opened: Candidate[] = []
  const mixtures: Candidate[] = []
  const states: State[] = []
  for (const candidate of candidates) {
    if (candidate.isComparable) opened.push(candidate)
    if (candidate.mixture) mixtures.push(candidate)
    context.emit({ type: 'subject', row: candidate.identity })
    candidate.warnings.forEach((message) => emitLog(context, 'warn', message))
    if (!evaluation) continue
    const { key, identity, weights } = candidate
    const open = () => openCandidateSubject(candidate)
    states.push({ key, identity, lowRank: weights.lowRank, open })
  }
  if (!evaluation) return opened
  await measureAll(base, states, evaluation, context)
  for (const { mixture, key } of mixtures)
    await measureRouting(base, mixture!, key, evaluation, context)
  return opened
}
