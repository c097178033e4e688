/** @file `touchstone ls`: which runs there are and how they went. */
import { z } from 'zod'
import { buildResults } from '../../../findings/results.ts'
import type { RunRow } from '../../../contract/audit-rows.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { Store } from '../../../runs/store/store.ts'
import { command } from '../../command.ts'
import { runFolders, withStore, writtenRun } from '../../../runs/databases.ts'
import { optionalText } from '../../../runs/options/common.ts'

const LsOptions = z.object({
  outDir: optionalText.meta({
    help: 'Runs of this folder only; every folder under out/ if not given',
  }),
})

interface Listed {
  readonly id: string
  readonly kind: string
  readonly title: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** `done`, `failed`, `cancelled`; `running` while a process writes, `interrupted` where it is gone. */
  readonly outcome: string
  readonly verdict: string | null
  readonly folder: string
}

export const ls = command({
  schema: LsOptions,
  examples: ['touchstone ls', 'touchstone ls --out-dir out/audit --json'],
  async run({ options: { outDir }, tell }) {
    const runs: Listed[] = []
    for (const folder of runFolders(outDir)) {
      runs.push(...(await withStore(folder, (store) => listed(store, folder))))
    }
    runs.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    tell(runs, tableOf(runs))
  },
})

function listed(store: Store, folder: string): Listed[] {
  const written = writtenRun(folder, store)
  return store.runs().map((run) => ({
    id: run.id,
    kind: run.kind,
    title: run.title,
    startedAt: new Date(run.startedAt).toISOString(),
    outcome: run.outcome ?? (run.id === written ? 'running' : 'interrupted'),
    verdict: verdictOf(store, run),
    folder,
  }))
}

/** Computed from the rows, so that it cannot disagree with them. */
function verdictOf(store: Store, { id, kind, outcome }: RunRow): string | null {
  if (outcome !== 'done' || (kind !== 'audit' && kind !== 'eval')) return null
  return buildResults(store.rows(id)).gate?.outcome ?? null
}

const WIDEST_TITLE = 60

function tableOf(runs: readonly Listed[]): string {
  if (runs.length === 0) return 'There are no runs yet. `touchstone quickstart` makes one.\n'
  const rows = [
    ['RUN', 'KIND', 'STARTED (UTC)', 'OUTCOME', 'VERDICT', 'FOLDER', 'TITLE'],
    ...runs.map(({ id, kind, startedAt, outcome, verdict, folder, title }) => [
      id,
      kind,
      startedAt.slice(0, 19).replace('T', ' '),
      outcome,
      verdict ?? '–',
      folder,
      plainText(title, WIDEST_TITLE),
    ]),
  ].map((row) => row.map((cell) => plainText(cell)))
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lineOf = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')
  return rows.map((row) => `${lineOf(row).trimEnd()}\n`).join('')
}
