/** @file A sweep on disk: `plan.jsonl`, one immutable line per cell, and beside it `cells/KEY.json`, written atomically. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CellResult, PlannedCell } from '../contract/sweeps.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { exists } from '../files/read-file.ts'
import { removeTemporaries, writeAtomically } from '../files/write-file.ts'
import { sha256 } from '../files/digest.ts'
import { cellKey } from './cells/cell.ts'

const PLAN = 'plan.jsonl'

export const planText = (cells: readonly PlannedCell[]): string =>
  cells.map((cell) => `${JSON.stringify(cell)}\n`).join('')

/** The same cells have the same folder. */
export const sweepId = (cells: readonly PlannedCell[]): string =>
  sha256(cells.map(({ key }) => key).join('\n')).slice(0, 16)

/** `sweeps` holds one folder per plan. Deletes what killed processes left half-written, and resolves to the plan's path. @param isAtWork whether processes of an earlier attempt may still write there; nothing is deleted then */
export async function openSweepFolder(
  sweeps: string,
  cells: readonly PlannedCell[],
  isAtWork: boolean,
): Promise<string> {
  const folder = join(sweeps, sweepId(cells))
  await mkdir(join(folder, 'cells'), { recursive: true })
  if (!isAtWork) {
    await removeTemporaries(folder, true)
    await rm(join(folder, 'work'), { recursive: true, force: true })
  }
  const path = join(folder, PLAN)
  if (!(await exists(path))) await writeAtomically(path, [planText(cells)])
  return path
}

export const resultPath = (planPath: string, key: string): string =>
  join(dirname(planPath), 'cells', `${key}.json`)

/** Where a cell writes while it runs; deleted with its weights. */
export const workFolder = (planPath: string, key: string): string =>
  join(dirname(planPath), 'work', key)

/** Undefined if there is none or the file is invalid; the cell is then run. */
export async function readResult(planPath: string, key: string): Promise<CellResult | undefined> {
  const text = await readFile(resultPath(planPath, key), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const result = CellResult.parse(JSON.parse(text))
    return result.key === key ? result : undefined
  } catch {
    return undefined
  }
}

export async function writeResult(planPath: string, result: CellResult): Promise<void> {
  const path = resultPath(planPath, result.key)
  await mkdir(dirname(path), { recursive: true })
  await writeAtomically(path, [`${JSON.stringify(result)}\n`])
}

/** A finished cell of another plan in the same folder, so that adding seeds or values runs only new cells. */
export async function borrowResult(planPath: string, key: string): Promise<CellResult | undefined> {
  const sweeps = dirname(dirname(planPath))
  const others = await readdir(sweeps)
  for (const other of others.sort()) {
    const result = await readResult(join(sweeps, other, PLAN), key)
    if (result?.status === 'done') return result
  }
  return undefined
}

/** The cells of a plan; throws if a line is not a cell or its key does not match its spec. */
export async function readPlan(path: string): Promise<PlannedCell[]> {
  const malformed = (line: number, why: string) =>
    new TouchstoneError('sweep.plan', { path, line, why })
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw malformed(0, error.code ?? error.message)
  })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, position) => {
      let parsed
      try {
        parsed = PlannedCell.safeParse(JSON.parse(line))
      } catch {
        throw malformed(position + 1, 'it is not JSON')
      }
      if (!parsed.success) throw malformed(position + 1, 'it does not describe a cell')
      const cell = parsed.data
      if (cell.position !== position || cell.key !== cellKey(cell.spec, cell.identity)) {
        throw malformed(position + 1, 'its key or place is not that of its spec')
      }
      return cell
    })
}
