/** @file Whether a command begins a new run or goes on with one that was interrupted. */
import type { RunRow } from '../contract/audit-rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Store } from './store/store.ts'
import { valueAt } from '../contract/form.ts'
import { firstDifference, isSame } from './options/reproduce.ts'

interface Wanted {
  /** The kind's name. */
  readonly kind: string
  readonly config: unknown
  /** `--resume RUN`; empty for the newest that fits, null where the user did not ask. */
  readonly resume: string | null
  /** Goes on by itself where the same run was interrupted. */
  readonly resumesByItself: boolean
  /** The database's path, for errors. */
  readonly path: string
}

/** The run to go on with; undefined begins a new one. */
export function chooseAttempt(store: Store, wanted: Wanted): RunRow | undefined {
  if (wanted.resume !== null) return checked(runToResume(store, wanted), wanted)
  const same = unfinishedRuns(store, wanted.kind).find(
    (run) => isSame(run.config, wanted.config) && isWorthKeeping(store, run),
  )
  if (!same || wanted.resumesByItself) return same
  const how = same.outcome === null ? 'was interrupted' : `ended as "${same.outcome}"`
  const why = `${same.id}, with the same settings, ${how}`
  throw new TouchstoneError('run.exists', { path: wanted.path, why })
}

/** The run that `--resume` names, whatever its settings. */
export function runToResume(
  store: Store,
  { kind, config, resume, path }: Pick<Wanted, 'kind' | 'config' | 'resume' | 'path'>,
): RunRow {
  if (resume) {
    const run = store.run(resume)
    if (!run) throw new TouchstoneError('run.not-found', { run: resume, where: path })
    if (run.kind === kind && run.outcome !== 'done') return run
    const why = run.kind === kind ? 'it is done' : `its kind is "${run.kind}"`
    throw new TouchstoneError('run.not-resumable', { run: resume, why })
  }
  const unfinished = unfinishedRuns(store, kind)
  const same = unfinished.find((run) => isSame(run.config, config)) ?? unfinished[0]
  if (same) return same
  throw new TouchstoneError('run.not-resumable', {
    run: `of kind "${kind}" in ${path}`,
    why: 'none was interrupted',
  })
}

function checked(run: RunRow, { config }: Wanted): RunRow {
  const field = firstDifference(run.config, config)
  if (field === undefined) return run
  const [saved, asked] = [run.config, config].map(
    (side) => JSON.stringify(valueAt(side, field.split('.'))) ?? 'nothing',
  )
  throw new TouchstoneError('training.resume-mismatch', { field, saved: saved!, asked: asked! })
}

/** Newest first. */
const unfinishedRuns = (store: Store, kind: string): RunRow[] =>
  store
    .runs()
    .filter((run) => run.kind === kind && run.outcome !== 'done')
    .reverse()

/** A run that failed before it measured anything, a wrong path say, is nobody's loss. */
export const isWorthKeeping = (store: Store, run: Pick<RunRow, 'id' | 'outcome'>): boolean =>
  run.outcome !== 'failed' ||
  store.finishedEvaluations(run.id).length > 0 ||
  store.rows(run.id).checkpoints.length > 0
