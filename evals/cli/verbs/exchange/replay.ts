/** @file `touchstone replay`: does a stored run again, and says whether it gave the same bits. */
import { join } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import {
  compareReplay,
  type ReplayedRun,
  type ReplayFindings,
} from '../../../interchange/replay.ts'
import type { AnyJobKind } from '../../../contract/job.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { Store } from '../../../runs/store/store.ts'
import { command, type Io } from '../../command.ts'
import { EXIT } from '../../../runs/options/exit-codes.ts'
import { withLockedStore } from '../../../runs/databases.ts'
import { optionalText, quiet } from '../../../runs/options/common.ts'
import { newRunId, type JobVerb } from '../../../runs/kinds/job-verb.ts'
import { JOB_VERBS } from '../../../runs/kinds/registry.ts'
import { JobOptions } from '../../job-options.ts'
import { executeJob } from '../../job-run.ts'
import { withNamedRun } from '../../../runs/named-run.ts'

const USUAL = join('out', 'replay')

const ReplayOptions = z.object({
  output: optionalText.meta({
    help: `The folder of the new run’s database; ${USUAL} if none is named`,
    short: 'o',
    value: 'FOLDER',
  }),
  into: optionalText.meta({ help: 'The same, as it was called before', value: 'FOLDER' }),
  outDir: optionalText.meta({
    help: 'The folder of the stored run; its newest run if none is named',
  }),
  quiet,
})

export type Replayable = Pick<JobVerb, 'schema' | 'kind'>
type Kinds = Readonly<Record<string, () => Promise<Replayable>>>

/** By the stored kind of a run. */
const REPLAYABLE: Kinds = Object.fromEntries(
  JOB_VERBS.filter(({ isOnce }) => !isOnce).map(({ name, load }) => [name, load]),
)

export const replayCommand = (kinds: Kinds) =>
  command({
    schema: ReplayOptions,
    positionals: '[RUN]',
    examples: [
      'touchstone replay audit-20260131-120000-1a2b',
      'touchstone replay --out-dir out/audit -o out/again',
    ],
    remark:
      'Exit code 0 where every reply, verdict, metric and spectrum is the same; 1 where one is not, after\nnaming what differs: the engine first (version, threads, processor), then the rows.',
    async run({ options: { output, outDir, ...shown }, named: [runId], io, tell }) {
      const into = output ?? shown.into ?? USUAL
      const before = await withNamedRun(runId, outDir, ({ store, run }) => storedRun(store, run.id))
      const job = await jobOf(before, kinds)
      const isQuiet = shown.quiet || shown.json
      const again = await withLockedStore(into, (store) =>
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

async function jobOf({ rows: { run } }: ReplayedRun, kinds: Kinds) {
  const refuse = (why: string) => new TouchstoneError('replay.not-possible', { run: run.id, why })
  const load = Object.hasOwn(kinds, run.kind) ? kinds[run.kind] : undefined
  if (!load) throw refuse(`runs of kind "${run.kind}" are not repeated`)
  if (run.outcome !== 'done') throw refuse('it did not end as "done"')
  const replayable = await load()
  const parsed = replayable.schema.safeParse(run.config)
  if (!parsed.success) throw refuse('its settings are those of another version')
  return { kind: await replayable.kind(), config: askingAgain(parsed.data) }
}

/** What earlier runs kept of the base's answers would be compared with itself. */
const askingAgain = (config: unknown): unknown =>
  config instanceof Object && 'askAgain' in config ? { ...config, askAgain: true } : config

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
