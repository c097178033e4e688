/** @file Cells of a plan run in workers: what has a result is told, the others are run and told as they end. */
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { scriptBeside } from '../../files/script-beside.ts'
import { emitLog, type JobContext } from '../../contract/job.ts'
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { CellResult, PlannedCell } from '../../contract/sweeps.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { borrowResult, openSweepFolder, readResult, resultPath, writeResult } from '../files.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { passesOf, type Pass } from './passes.ts'
import { toWireError } from '../../errors/wire.ts'
import type { Scheduler } from '../../runtime/schedulers/scheduler.ts'

interface Opening {
  readonly retryErrors: boolean
  readonly scheduler: Scheduler
  /** What an earlier attempt at this run has told. */
  readonly rows: Pick<AuditRows, 'cells'>
}

const PHASE = 'cells'
const WORKER = scriptBeside(import.meta.filename, 'worker')

/** Writes the plan. */
export async function openCellRuns(
  cells: readonly PlannedCell[],
  context: JobContext,
  opening: Opening,
): Promise<CellRuns> {
  const sweeps = join(dirname(context.workspace), 'sweeps')
  const planPath = await openSweepFolder(sweeps, cells, opening.scheduler.outlivesCaller)
  await emitPlan(planPath, context)
  return new CellRuns(planPath, context, opening)
}

export class CellRuns {
  readonly #planPath: string
  readonly #context: JobContext
  readonly #retryErrors: boolean
  readonly #scheduler: Scheduler
  /** The outcome that was told of each cell, by key. */
  readonly #told: Map<string, string>
  readonly #results = new Map<string, CellResult>()
  /** Cells that were told in the phase; undefined outside of it. */
  #done: number | undefined

  constructor(planPath: string, context: JobContext, opening: Opening) {
    const { retryErrors, scheduler, rows } = opening
    this.#planPath = planPath
    this.#context = context
    this.#retryErrors = retryErrors
    this.#scheduler = scheduler
    this.#told = new Map((rows.cells ?? []).map(({ key, status }) => [key, status]))
  }

  /** Cells that are told until `end` are progress towards `total`. */
  begin(total: number): void {
    this.#context.emit({ type: 'phase-start', phase: PHASE, total, unit: 'cell' })
    this.#done = 0
  }

  end(): void {
    this.#context.emit({ type: 'phase-end', phase: PHASE })
    this.#done = undefined
  }

  /** The cells that have no result yet, in the order given. Those that have one are told. */
  async settle(cells: readonly PlannedCell[]): Promise<PlannedCell[]> {
    const waiting: PlannedCell[] = []
    for (const cell of cells) {
      this.#context.signal.throwIfAborted()
      const result = await storedResult(this.#planPath, cell.key)
      const isToRun = !result || (result.status === 'failed' && this.#retryErrors)
      if (result && isToRun) await rm(resultPath(this.#planPath, cell.key))
      if (isToRun) waiting.push(cell)
      else this.#tell(cell, result)
    }
    this.#context.flush()
    return waiting
  }

  /** Runs cells, `jobs` at a time, and resolves when each has a result. */
  async run(cells: readonly PlannedCell[], jobs: number): Promise<void> {
    const [first] = cells
    if (!first) return
    const planPath = this.#planPath
    const settle = async (cell: PlannedCell) => {
      const result = await readResult(planPath, cell.key)
      if (!result) throw new Error(`internal: cell ${cell.position} left no result`)
      this.#tell(cell, result)
      if (!result.error) return
      emitLog(this.#context, 'warn', `Cell ${cell.position} failed: ${result.error.message}`)
    }
    const onSettled = async (pass: Pass) => {
      for (const cell of pass.cells) await settle(cell)
    }
    await this.#scheduler.run({
      script: WORKER,
      argument: planPath,
      tasks: passesOf(cells),
      jobs,
      threads: first.spec.threads,
      signal: this.#context.signal,
      isSettled: async (pass) => {
        const results = await Promise.all(pass.cells.map(({ key }) => readResult(planPath, key)))
        return results.every((result) => result !== undefined)
      },
      onSettled,
      onDied: async (pass, how, said) => {
        const error = toWireError(new TouchstoneError('sweep.worker-died', { how, said }))
        const failed = { status: 'failed' as const, error, metrics: [], curves: [] }
        for (const { key } of pass.cells)
          if (!(await readResult(planPath, key)))
            await writeResult(planPath, { key, ...failed, seconds: 0 })
        await onSettled(pass)
      },
      onWaiting: (message) => emitLog(this.#context, 'warn', message),
    })
  }

  /** Undefined of a cell that was neither settled nor run. */
  resultOf(cell: PlannedCell): CellResult | undefined {
    return this.#results.get(cell.key)
  }

  #tell(cell: PlannedCell, result: CellResult): void {
    this.#results.set(cell.key, result)
    if (this.#told.get(cell.key) !== result.status) {
      this.#context.emit({ type: 'cell', row: { ...cell, ...result } })
      this.#told.set(cell.key, result.status)
    }
    if (this.#done === undefined) return
    this.#context.emit({ type: 'phase-progress', phase: PHASE, done: ++this.#done })
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
