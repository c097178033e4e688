/** @file The list of all runs. It reads no replies, so the engine answers it itself and it never waits for a heavy call. */
import { madeOf } from '../../runs/kept-results.ts'
import { writtenRun } from '../../runs/databases.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import { RunSummary, type RunEntry } from '../../contract/calls/runs.ts'
import type { Extent } from '../../runs/store/store.ts'
import { NO_NOTE, type StoredNote } from '../../runs/store/window-store.ts'
import type { FoundRun, Home } from '../home.ts'

export const listHandlers = (home: Home): Pick<EngineHandlers['run'], 'list'> => ({
  list: ({ isDeleted }) =>
    home
      .folders()
      .flatMap((folder) => entriesIn(home, folder))
      .filter(({ deletedAt }) => isDeleted || deletedAt === null)
      .sort((a, b) => b.startedAt - a.startedAt),
})

type Found = Pick<FoundRun, 'run' | 'store'>

/** Changes when what a summary is made of does. */
export const keyOf = ({ run, store }: Found, extent?: Extent) =>
  madeOf({ store, runId: run.id }, extent)

export function keptSummary(
  { windowStore }: Home,
  found: Found,
  key = keyOf(found),
): RunSummary | null {
  const kept = RunSummary.safeParse(windowStore.summary(found.run.id, key))
  return kept.success ? kept.data : null
}

export const isMeasured = ({ run, store }: Found, measured = store.measuredRuns()) =>
  run.outcome !== null && measured.has(run.id)

function entriesIn(home: Home, folder: string): RunEntry[] {
  const store = home.store(folder)
  const written = writtenRun(folder, store)
  const measured = store.measuredRuns()
  const [notes, extents] = [home.windowStore.notes(), store.extents()]
  return store.runs().map((run) => {
    const hasReplies = isMeasured({ run, store }, measured)
    const { id, kind, title, command, config, startedAt, endedAt, error } = run
    return {
      runId: id,
      ...withTags(notes.get(id) ?? NO_NOTE),
      kind,
      title,
      command,
      config,
      startedAt,
      endedAt,
      error,
      folder,
      outcome: run.outcome ?? (id === written ? 'running' : 'interrupted'),
      isMeasured: hasReplies,
      summary: hasReplies
        ? keptSummary(home, { run, store }, keyOf({ run, store }, extents.get(id)))
        : null,
    }
  })
}

const withTags = ({ tags, ...note }: StoredNote) => ({
  ...note,
  tags: [...tags],
})
