/** @file Certificates of what ships, kept with a run that measured it. They change no verdict. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { AuditRows, RunRow } from '../contract/audit-rows.ts'
import type { KeptCertificate } from '../contract/subjects/certificate.ts'
import type { ServedFacts } from '../contract/subjects/served.ts'
import { stateInSentence } from '../contract/words.ts'
import type { MeasuredDigests } from '../inspect/certificate/certify.ts'
import { appendToRun } from './append-to-run.ts'
import type { NamedRun } from './named-run.ts'

type SubjectRow = AuditRows['subjects'][number]

export interface MadeCertificate extends Pick<KeptCertificate, 'outcome' | 'lines'> {
  readonly measured: MeasuredDigests
  /** What ships, and its digest; behind an address what its server says of itself. */
  readonly path: string
  readonly ships: string | ServedFacts
}

export function requireEnded({ id, outcome }: Pick<RunRow, 'id' | 'outcome'>): void {
  if (outcome === null) throw new TouchstoneError('run.not-ended', { run: id })
}

/** Throws, and keeps none, where the run measured neither what was to be certified nor what ships. */
export function keepCertificates(
  { store, folder, run }: NamedRun,
  found: readonly MadeCertificate[],
): void {
  const rows = store.rows(run.id)
  const all = found.map((each) => ({ ...each, of: statesOf(rows, each) }))
  for (const { of, path } of all)
    if (of.length === 0) throw new TouchstoneError('certificate.other-run', { run: run.id, path })
  for (const { of, path, ships, outcome, lines } of all) {
    const content = { kind: 'certificate' as const, outcome, of, lines: [...lines] }
    const digest = typeof ships === 'string' ? ships : ''
    const row = { role: `certificate of ${of.join(', ')}`, path, digest, bytes: 0, content }
    appendToRun({ store, folder, runId: run.id }, { type: 'artifact', row })
  }
}

/** Checkpoints of the run that are what was measured, or what ships, by their digests. */
function statesOf(
  { subjects, artifacts }: Pick<AuditRows, 'subjects' | 'artifacts'>,
  { measured, ships }: MadeCertificate,
): string[] {
  const { weights, adapter, file } = measured
  const kept = artifacts.flatMap(({ content, digest: own }) =>
    content?.kind === 'weights' && own === file ? content : [],
  )
  const isMeasured = (subject: SubjectRow) =>
    (subject.weightsDigest === weights && subject.adapterDigest === adapter) ||
    kept.some(({ arm, seed }) => arm === subject.arm && seed === subject.seed)
  return subjects
    .filter((each) => isMeasured(each) || isShipped(each, ships))
    .map(({ arm, seed }) => stateInSentence({ arm, seed }))
}

function isShipped(subject: SubjectRow, ships: string | ServedFacts): boolean {
  const { served, adapterDigest, weightsDigest } = subject
  if (typeof ships === 'string') return !served && (adapterDigest ?? weightsDigest) === ships
  return (
    served?.model === ships.model &&
    served.fingerprint === ships.fingerprint &&
    served.addresses.join() === ships.addresses.join()
  )
}
