/** @file The kinds of job that a window can start, and how what it asks for becomes a configuration. */
import { z } from 'zod'
import { auditVerb } from '../runs/kinds/audit.ts'
import { evaluateVerb } from '../runs/kinds/eval.ts'
import { spectralVerb } from '../runs/kinds/spectral.ts'
import { sweepVerb } from '../runs/kinds/sweep.ts'
import { trainVerb } from '../runs/kinds/train.ts'
import { fieldsOf } from '../runs/options/fields.ts'
import { issueError } from '../runs/options/flags.ts'
import { withGate } from '../runs/options/gate-options.ts'
import type { JobVerb } from '../runs/kinds/job-verb.ts'
import { chooseMethods } from '../runs/options/methods.ts'
import { commandLine } from '../runs/options/reproduce.ts'
import type { JobKindName } from '../contract/calls/catalog.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

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
