/** @file The kinds of job that a window can start, and how what it asks for becomes a configuration. */
import { z } from 'zod'
import { auditVerb } from '../cli/commands/audit.ts'
import { evaluateVerb } from '../cli/commands/eval.ts'
import { spectralVerb } from '../cli/commands/spectral.ts'
import { sweepVerb } from '../cli/commands/sweep.ts'
import { trainVerb } from '../cli/commands/train.ts'
import { fieldsOf } from '../cli/fields.ts'
import { issueError } from '../cli/flags.ts'
import { withGate } from '../cli/gate-options.ts'
import type { JobVerb } from '../cli/job-command.ts'
import { chooseMethods } from '../cli/methods.ts'
import { commandLine } from '../cli/reproduce.ts'
import type { JobKindName } from '../contract/calls/catalog.ts'
import { TouchstoneError } from '../errors.ts'

export const KINDS: Readonly<Record<JobKindName, JobVerb>> = {
  audit: auditVerb,
  train: trainVerb,
  eval: evaluateVerb,
  spectral: spectralVerb,
  sweep: sweepVerb,
}

/** Of a run that lies here; runs of a later version may be of other kinds. */
export function findKind(kind: string, runId: string): JobVerb {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind as JobKindName]
  throw new TouchstoneError('run.not-resumable', { run: runId, why: `its kind is "${kind}"` })
}

type Layer = Readonly<Record<string, unknown>>

/** Defaults filled in and everything checked, as the command line does. */
export function parseRequest(kind: JobKindName, config: Layer): unknown {
  const verb = KINDS[kind]
  const hasMethods = verb.schema instanceof z.ZodObject && 'methods' in verb.schema.shape
  const raw = hasMethods
    ? { ...config, methods: chooseMethods(config['methods'], new Map(), {}) }
    : config
  const parsed = verb.schema.safeParse(raw)
  if (!parsed.success) {
    const nameOf = ({ label, flag }: { label: string; flag: string }) => `“${label || flag}”`
    throw issueError(parsed.error.issues[0]!, fieldsOf(verb.schema), raw, nameOf)
  }
  const gated = withGate(parsed.data, null)
  verb.check?.(gated)
  return gated
}

/** The `touchstone` line that does the same. */
export function commandOf(kind: JobKindName, config: unknown, folder: string): string {
  const { name, schema } = KINDS[kind]
  return commandLine(name, fieldsOf(schema), config, { rest: ['--out-dir', folder] })
}
