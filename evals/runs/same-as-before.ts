/** @file Of a resumed run: its models, prompts and training data are those that it read before it was interrupted. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Sink } from '../contract/job.ts'
import type { ArtifactRow, BenchmarkRow, SubjectIdentity } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

type Before = Pick<AuditRows, 'run' | 'subjects' | 'benchmarks' | 'artifacts'>

/**
 * Stands before the store, which would put the new digests beside what was measured of the old files. Throws `run.resumed-other`
 * at the first that differs.
 */
export function sameAsBefore({ run, subjects, benchmarks, artifacts }: Before): Sink {
  const require = (isSame: boolean, what: string) => {
    if (!isSame) throw new TouchstoneError('run.resumed-other', { run: run.id, what })
  }
  return {
    event: (event) => {
      if (event.type === 'subject')
        require(isSameModel(subjects, event.row), event.row.arm === 'base'
          ? 'The model'
          : event.row.title)
      if (event.type === 'benchmark') require(isSamePrompts(benchmarks, event.row), event.row.title)
      if (event.type === 'artifact') require(isSameData(artifacts, event.row), 'The training data')
    },
  }
}

/** A training is told again as its weights change; that of its base is told apart. */
function isSameModel(before: readonly SubjectIdentity[], row: SubjectIdentity): boolean {
  const known = before.find(({ arm, seed }) => arm === row.arm && seed === row.seed)
  if (!known) return true
  const isFixed = row.method === null && !row.mitigation && !row.derivation
  const digestsOf = (of: SubjectIdentity) => [
    ...[of.tokenizerDigest, of.templateDigest],
    ...(isFixed ? [of.weightsDigest, of.adapterDigest] : []),
  ]
  const digests = digestsOf(row)
  return digestsOf(known).every((digest, i) => digest === digests[i])
}

/** Prompts in a context are asked again where its settings differ. */
function isSamePrompts(before: readonly BenchmarkRow[], row: BenchmarkRow): boolean {
  const known = before.find(({ name, context }) => name === row.name && !context)
  return known === undefined || row.context !== undefined || known.digest === row.digest
}

function isSameData(before: readonly ArtifactRow[], row: ArtifactRow): boolean {
  if (row.content?.kind !== 'training-data') return true
  const known = before.filter(({ role, path }) => role === row.role && path === row.path)
  return known.length === 0 || known.some(({ digest }) => digest === row.digest)
}
