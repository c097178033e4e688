/** @file Whether a run that is looked into can be made again: its model, data and candidates are those that it read. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Base } from '../../measure/base.ts'
import type { Candidate } from '../../measure/candidate.ts'

interface Made {
  readonly base: Pick<Base, 'digest'>
  readonly arms: readonly { readonly dataDigest: string }[]
  readonly candidates: readonly Pick<Candidate, 'identity'>[]
}

/** Throws `run.other-inputs`. What a run did not store is not compared. */
export function requireSameInputs(
  { run, subjects, artifacts }: Pick<AuditRows, 'run' | 'subjects' | 'artifacts'>,
  { base, arms, candidates }: Made,
): void {
  const other = (what: string) => new TouchstoneError('run.other-inputs', { run: run.id, what })
  const stored = (arm: string) => subjects.find((row) => row.arm === arm)
  const before = stored('base')
  if (before && before.weightsDigest !== base.digest) throw other('The model')
  const data = artifacts.flatMap(({ content, digest }) =>
    content?.kind === 'training-data' ? [digest] : [],
  )
  if (data.length > 0 && arms.some(({ dataDigest }) => !data.includes(dataDigest)))
    throw other('The training data')
  for (const { identity } of candidates) {
    const own = stored(identity.arm)
    if (!own) continue
    const isSame =
      own.weightsDigest === identity.weightsDigest && own.adapterDigest === identity.adapterDigest
    if (!isSame) throw other(`The candidate ${identity.arm}`)
  }
}
