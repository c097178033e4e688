/** @file Every kind of subject; the first that owns a model's name opens it. */
import { usageError } from '../../errors/touchstone-error.ts'
import type { AuditConfig } from '../config.ts'
import type { SubjectKind } from './kind.ts'
import { localModels } from './local.ts'
import { servedModels } from './served.ts'

const SUBJECT_KINDS: readonly SubjectKind[] = [servedModels, localModels]

const kindOf = (model: string): SubjectKind => SUBJECT_KINDS.find((kind) => kind.owns(model))!

/** Of the base and all its candidates, which must be of one kind. */
export function subjectKindOf({ model, candidates }: AuditConfig): SubjectKind {
  const kind = kindOf(model)
  const other = candidates.find((candidate) => kindOf(candidate) !== kind)
  if (other === undefined) return kind
  throw usageError(
    `${model} and ${other} cannot be compared in one run: one is served, and the other runs here.`,
    'Name two addresses or two paths; `touchstone certify --served URL` holds a served model to a local one.',
  )
}
