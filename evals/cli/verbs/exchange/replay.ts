/** @file `touchstone replay`: does a stored run again, and says whether it gave the same bits. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  AuditConfig,
  EvalConfig,
  MitigateConfig,
  SpectralConfig,
  TrainConfig,
} from '../../../audit/config.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import {
  compareReplay,
  type ReplayedRun,
  type ReplayFindings,
} from '../../../interchange/replay.ts'
import { anyJobKind, type AnyJobKind } from '../../../contract/job.ts'
import { plainText } from '../../../document/plain-text.ts'
import { lockFolder } from '../../../runs/store/lock.ts'
import type { Store } from '../../../runs/store/store.ts'
import { command, type Io } from '../../command.ts'
import { EXIT } from '../../../runs/options/exit-codes.ts'
import { withStore } from '../../../runs/databases.ts'
import { optionalText, quiet, text } from '../../../runs/options/common.ts'
import { newRunId } from '../../../runs/kinds/job-verb.ts'
import { JobOptions } from '../../job-options.ts'
import { executeJob } from '../../job-run.ts'
import { withNamedRun } from '../../../runs/named-run.ts'

const ReplayOptions = z.object({
  into: text
    .default(join('out', 'replay'))
    .meta({ help: 'Folder of the new run’s database', value: 'FOLDER' }),
  outDir: optionalText.meta({
    help: 'The folder of the stored run; its newest run if none is named',
  }),
  quiet,
})

export interface Replayable {
  readonly schema: z.ZodType
  readonly kind: () => Promise<AnyJobKind>
}

const REPLAYABLE: Readonly<Record<string, Replayable>> = {
  audit: {
    schema: AuditConfig,
    kind: async () => anyJobKind((await import('../../../audit/audit-job.ts')).auditJob),
  },
  eval: {
    schema: EvalConfig,
    kind: async () => anyJobKind((await import('../../../audit/eval-job.ts')).evalJob),
  },
  mitigate: {
    schema: MitigateConfig,
    kind: async () => anyJobKind((await import('../../../audit/mitigate-job.ts')).mitigateJob),
  },
  train: {
    schema: TrainConfig,
    kind: async () => anyJobKind((await import('../../../audit/train-job.ts')).trainJob),
  },
  spectral: {
    schema: SpectralConfig,
    kind: async () => anyJobKind((await import('../../../audit/spectral-job.ts')).spectralJob),
  },
}

export const replayCommand = (kinds: Readonly<Record<string, Replayable>>) =>
  command({
    schema: ReplayOptions,
    positionals: '[RUN]',
    examples: [
      'touchstone replay audit-20260131-120000-1a2b',
      'touchstone replay --out-dir out/audit --into out/again',
    ],
    remark:
      'Exit code 0 where every reply, verdict, metric and spectrum is the same; 1 where one is not, after\nnaming what differs: the engine first (version, threads, processor), then the rows.',
    async run({ options: { into, outDir, ...shown }, named: [runId], io, tell }) {
      const before = await withNamedRun(runId, outDir, ({ store, run }) => storedRun(store, run.id))
      const job = await jobOf(before, kinds)
      const isQuiet = shown.quiet || shown.json
      const again = await withFolder(into, (store) =>
        runAgain(store, before, { ...job, into, isQuiet }, io),
      )
      if (typeof again === 'number') return again
      const findings = compareReplay(before, again)
      const ids = { run: before.rows.run.id, replay: again.rows.run.id }
      tell({ type: 'replay', ...ids, ...findings }, findingsText(findings, ids))
      return findings.isSame ? EXIT.ok : EXIT.error
    },
  })

export const replay = replayCommand(REPLAYABLE)

const storedRun = (store: Store, runId: string): ReplayedRun => ({
  rows: store.rows(runId),
  sealed: store.sealed(runId),
})

async function jobOf({ rows: { run } }: ReplayedRun, kinds: Readonly<Record<string, Replayable>>) {
  const refuse = (why: string) => new TouchstoneError('replay.not-possible', { run: run.id, why })
  const replayable = Object.hasOwn(kinds, run.kind) ? kinds[run.kind] : undefined
  if (!replayable) throw refuse(`runs of kind "${run.kind}" are not repeated`)
  if (run.outcome !== 'done') throw refuse('it did not end as "done"')
  const parsed = replayable.schema.safeParse(run.config)
  if (!parsed.success) throw refuse('its settings are those of another version')
  return { kind: await replayable.kind(), config: parsed.data }
}

async function withFolder<T>(folder: string, action: (store: Store) => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true })
  return withStore(folder, async (store) => {
    const unlock = lockFolder(folder)
    try {
      return await action(store)
    } finally {
      unlock()
    }
  })
}

interface Replayed {
  readonly kind: AnyJobKind
  readonly config: unknown
  readonly into: string
  readonly isQuiet: boolean
}

/** The new run, or the exit code where it did not end. */
async function runAgain(
  store: Store,
  before: ReplayedRun,
  { kind, config, into, isQuiet }: Replayed,
  io: Io,
): Promise<ReplayedRun | number> {
  const runId = newRunId('replay')
  const code = await executeJob(
    {
      kind,
      config,
      runId,
      isResumed: false,
      command: before.rows.run.command,
      resumeCommand: `touchstone replay ${before.rows.run.id}`,
      writesReports: false,
      outDir: into,
      options: JobOptions.parse({ outDir: into, quiet: isQuiet, exitZero: true }),
    },
    store,
    // What the run found is in its rows; here it matters whether they are the same.
    { ...io, stdout: { write: () => undefined } },
  )
  return code === EXIT.ok ? storedRun(store, runId) : code
}

function findingsText(
  { isSame, engine, tables }: ReplayFindings,
  { run, replay: again }: { run: string; replay: string },
): string {
  const head = isSame
    ? `SAME  ${run} and ${again} agree in every bit.\n`
    : `DIFFERENT  ${run} and ${again} do not agree.\n`
  const reasons = engine.map(
    ({ field, before, after }) => `engine: ${field} was ${before}, is ${after}`,
  )
  const counts = tables.map(({ table, rows, different, fields: names, first }) =>
    different === 0
      ? `${table}: ${rows} the same`
      : `  ${table}: ${different} of ${rows} differ (${names.join(', ')}), the first: ${first}`,
  )
  return [head, ...[...reasons, ...counts].map((line) => `  ${plainText(line, 4000)}\n`)].join('')
}
