/** @file Cells of a plan run in workers: what has a result is told, the others are run and told as they end. */
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { emitLog, type JobContext } from '../../contract/job.ts'
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { CellResult, PlannedCell } from '../../contract/sweeps.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { borrowResult, openSweepFolder, readResult, resultPath, writeResult } from '../files.ts'
import { runInWorkers } from './workers.ts'

interface CellRuns {
  /** The cells that have no result yet, in the order given. Those that have one are told. */
  settle(cells: readonly PlannedCell[]): Promise<PlannedCell[]>
  /** Runs cells, `jobs` at a time, and resolves when each has a result. */
  run(cells: readonly PlannedCell[], jobs: number): Promise<void>
  /** Of a cell that was settled or run. */
  resultOf(cell: PlannedCell): CellResult
}

interface Opening {
  readonly retryErrors: boolean
  /** What an earlier attempt at this run has told. */
  readonly rows: Pick<AuditRows, 'cells'>
  /** Cells that will be told in all, at most. */
  readonly total: number
}

/** Writes the plan, and begins to count. Call `end` when no more cells will be run. */
export async function openCellRuns(
  cells: readonly PlannedCell[],
  context: JobContext,
  { retryErrors, rows, total }: Opening,
): Promise<CellRuns & { end(): void }> {
  const planPath = await openSweepFolder(join(dirname(context.workspace), 'sweeps'), cells)
  await emitPlan(planPath, context)
  const reported = new Map((rows.cells ?? []).map(({ key, status }) => [key, status]))
  const results = new Map<string, CellResult>()
  const phase = 'cells'
  context.emit({ type: 'phase-start', phase, total, unit: 'cell' })
  const tell = (cell: PlannedCell, result: CellResult) => {
    results.set(cell.key, result)
    if (reported.get(cell.key) !== result.status) {
      context.emit({ type: 'cell', row: { ...cell, ...result } })
      reported.set(cell.key, result.status)
    }
    context.emit({ type: 'phase-progress', phase, done: results.size })
  }
  return {
    async settle(asked) {
      const waiting: PlannedCell[] = []
      for (const cell of asked) {
        context.signal.throwIfAborted()
        const result = await storedResult(planPath, cell.key)
        const isToRun = !result || (result.status === 'failed' && retryErrors)
        if (result && isToRun) await rm(resultPath(planPath, cell.key))
        if (isToRun) waiting.push(cell)
        else tell(cell, result)
      }
      context.flush()
      return waiting
    },
    async run(waiting, jobs) {
      if (waiting.length === 0) return
      await runInWorkers({
        planPath,
        cells: waiting,
        jobs,
        signal: context.signal,
        onSettled: async (cell) => {
          const result = await readResult(planPath, cell.key)
          if (!result) throw new Error(`internal: cell ${cell.position} left no result`)
          tell(cell, result)
          if (result.error) {
            emitLog(context, 'warn', `Cell ${cell.position} failed: ${result.error.message}`)
          }
        },
      })
    },
    resultOf: ({ key }) => results.get(key)!,
    end: () => context.emit({ type: 'phase-end', phase }),
  }
}

async function emitPlan(path: string, { emit }: JobContext): Promise<void> {
  const { size: bytes } = await stat(path)
  emit({ type: 'artifact', row: { role: 'plan', path, digest: await sha256OfFile(path), bytes } })
}

async function storedResult(planPath: string, key: string): Promise<CellResult | undefined> {
  const own = await readResult(planPath, key)
  if (own) return own
  const borrowed = await borrowResult(planPath, key)
  if (borrowed) await writeResult(planPath, borrowed)
  return borrowed
}
