/** @file The kinds of job that a window can start, and their configuration from a request. */
import { z } from 'zod'
import { fieldsOf } from '../runs/options/fields.ts'
import { issueError } from '../runs/options/flags.ts'
import { withGate } from '../runs/options/gate-options.ts'
import type { JobVerb } from '../runs/kinds/job-verb.ts'
import { JOB_VERBS } from '../runs/kinds/registry.ts'
import { chooseMethods } from '../runs/options/methods.ts'
import { commandLine } from '../runs/options/reproduce.ts'
import { JOB_KINDS, type JobKindName } from '../contract/calls/catalog.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { findNamed } from '../errors/names.ts'

const entryOf = (kind: JobKindName) => findNamed('kind of job', JOB_VERBS, kind)

export const KINDS = Object.fromEntries(
  await Promise.all(JOB_KINDS.map(async (kind) => [kind, await entryOf(kind).load()] as const)),
) as Readonly<Record<JobKindName, JobVerb>>

export const summaryOf = (kind: JobKindName): string => `${entryOf(kind).summary}.`
export const titleOfKind = (kind: JobKindName): string => entryOf(kind).title

/** The kind of a stored run. Throws for a kind of another version. */
export function findKind(kind: string, runId: string): JobVerb {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind as JobKindName]
  throw new TouchstoneError('run.not-resumable', { run: runId, why: `its kind is "${kind}"` })
}

type Layer = Readonly<Record<string, unknown>>

/** Fills in defaults and validates, as the command line does. */
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
  const gated = withGate(parsed.data, { gate: null, reference: null, plan: null })
  verb.check?.(gated)
  return gated
}

/** The equivalent `touchstone` command. */
export function commandOf(kind: JobKindName, config: unknown, folder: string): string {
  const { schema, preset = {} } = KINDS[kind]
  return commandLine(kind, fieldsOf(schema), config, { preset, rest: ['--out-dir', folder] })
}
