/** @file Disk use, copies, settings, bug report, doctor, and a read-only SQL console. */
import { z } from 'zod'
import { call, Nothing, PathText, Reason } from '../call.ts'
import { CheckedCase } from '../signed/checked-case.ts'

export const DiskUse = z.object({
  what: z.enum([
    'database',
    'weights',
    'exports',
    'spectra-cache',
    'weight-cache',
    'sweep-cells',
    'other',
  ]),
  path: z.string(),
  bytes: z.int(),
  /** The run; null for what belongs to all. */
  runId: z.string().nullable(),
})

/** Of a folder that nobody set anything in. Plain, for the window, which has no schemas. */
export const DEFAULT_SETTINGS = {
  theme: 'system' as const,
  threads: null as number | null,
  rater: '',
  notifies: true,
  baselineRun: null as string | null,
  findsModels: true,
  revealReason: '',
}

const SETTINGS = {
  theme: z.enum(['system', 'light', 'dark']).default(DEFAULT_SETTINGS.theme),
  /** Threads of new jobs; all cores if null. */
  threads: z.int().min(1).max(256).nullable().default(DEFAULT_SETTINGS.threads),
  rater: z.string().trim().max(60).default(DEFAULT_SETTINGS.rater),
  notifies: z.boolean().default(DEFAULT_SETTINGS.notifies),
  baselineRun: z.string().nullable().default(DEFAULT_SETTINGS.baselineRun),
  /** Whether pickers list models that lie in the usual folders of this machine. */
  findsModels: z.boolean().default(DEFAULT_SETTINGS.findsModels),
  /** Why replies to prompts that should be refused are shown, of the bundled suites; empty: they are not. */
  revealReason: z.union([z.literal(''), Reason]).default(DEFAULT_SETTINGS.revealReason),
} as const
export const Settings = z.object(SETTINGS)
export type Settings = z.infer<typeof Settings>

export const house = {
  usage: call(
    Nothing,
    z.object({
      home: z.string(),
      free: z.number(),
      entries: z.array(DiskUse),
      /** Files and folders that other users could read until the workbench opened them. */
      closed: z.array(z.string()),
      /** What Chat and Models sent to other machines, and why; the latest first. Runs keep their own. */
      sendings: z.array(z.object({ at: z.number(), host: z.string(), reason: z.string() })),
    }),
  ),
  /** A complete, consistent copy, also while a job runs. Overwrites nothing. */
  backup: call(z.object({ path: PathText }), z.object({ path: z.string(), bytes: z.int() })),
  /** Copies the databases and checks the copies. A start with that folder continues there; the old files stay. */
  move: call(z.object({ folder: PathText }), z.object({ home: z.string() })),
  settings: call(Nothing, Settings),
  set: call(Settings.partial(), Settings),
  /** Versions, configurations without paths or texts, errors, phases: no prompt and no reply. */
  bugReport: call(
    Nothing,
    z.object({ path: z.string(), bytes: z.int(), holds: z.array(z.string()) }),
  ),
}

export const signed = {
  /** Throws `case.changed` where the folder is not what was signed. `key`: the author's public key, if it is at hand. */
  verify: call(
    z.object({ folder: PathText, key: PathText.nullable().default(null) }),
    CheckedCase.extend({ sentences: z.array(z.string()) }),
  ),
}

export const doctor = {
  check: call(
    Nothing,
    z.object({
      version: z.string(),
      platform: z.string(),
      isUsable: z.boolean(),
      checks: z.array(
        z.object({
          name: z.string(),
          status: z.enum(['ok', 'warn', 'fail']),
          detail: z.string(),
          remedy: z.string().nullable(),
        }),
      ),
    }),
  ),
}

export const sql = {
  tables: call(
    Nothing,
    z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.int() })),
  ),
  /** One SELECT, WITH or EXPLAIN; at most `limit` rows and five seconds. */
  query: call(
    z.object({
      sql: z.string().min(1).max(20_000),
      /** Queries the database of this run; the workbench's own if null. */
      runId: z.string().max(200).nullable().default(null),
      limit: z.int().min(1).max(5000).default(500),
    }),
    z.object({
      columns: z.array(z.string()),
      rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
      isCut: z.boolean(),
      milliseconds: z.number(),
    }),
  ),
}
