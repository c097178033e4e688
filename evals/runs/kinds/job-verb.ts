/** @file A verb that runs a job, for the command line and the window. Its name and summary are in `registry.ts`. */
import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import type { RunRow } from '../../contract/audit-rows.ts'
import type { AnyJobKind } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Field } from '../options/fields.ts'
import type { Layer } from '../options/flags.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Arguments without an option, and the options that they stand for. */
export interface Positionals {
  /** As help shows them. */
  readonly shown: string
  inOptions(argv: readonly string[], fields: readonly Field[]): Promise<readonly string[]>
}

export interface JobVerb {
  readonly examples: readonly string[]
  readonly remark?: string
  readonly schema: z.ZodType
  readonly kind: () => Promise<AnyJobKind>
  /** Whether it writes results.json and report.html. */
  readonly writesReports: boolean
  /** Replaces defaults; flags override it. */
  readonly preset?: Layer
  /** The preset that the command names, in place of `preset`. */
  readonly presetNamed?: (argv: readonly string[], environment: Environment) => Layer | undefined
  readonly positionals?: Positionals
  /** The verdict does not change the exit code. */
  readonly exitsZero?: true
  readonly resumesByItself?: boolean
  /** The stored run that the job adds to, if any; the job then runs in that run's folder. */
  readonly addsTo?: (config: unknown) => string | undefined
  /** Whether the configuration asks for the plan alone. */
  readonly onlyPlans?: (config: unknown) => boolean
  /** What `--list` prints in place of a run. */
  readonly list?: () => string
  /** Throws for a configuration that the schema accepts and that asks for nothing. */
  readonly check?: (config: unknown) => void
}

/** The settings of a stored run, or an error if this version cannot read them. */
export function parseStored(verb: JobVerb, run: RunRow): unknown {
  const parsed = verb.schema.safeParse(run.config)
  if (parsed.success) return parsed.data
  throw new TouchstoneError('run.not-resumable', {
    run: run.id,
    why: 'its settings are those of another version',
  })
}

/** `audit-20260131-120000-1a2b`, in UTC. */
export function newRunId(verb: string, now = new Date()): string {
  const digits = now.toISOString().replaceAll(/\D/g, '')
  return `${verb}-${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(2).toString('hex')}`
}
