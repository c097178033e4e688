/** @file A worker process of a sweep: runs passes over the plan whose path is its argument. */
import { serveTasks } from '../../runtime/worker-loop.ts'
import { readPlan, readResult } from '../files.ts'
import { passesOf } from './passes.ts'
import { createCellRunner } from './run-cell.ts'

const planPath = process.argv[2]!
const runner = createCellRunner(planPath)
const plan = readPlan(planPath)

serveTasks(async (position, signal) => {
  const pass = passesOf(await plan).find(({ cells }) =>
    cells.some((cell) => cell.position === position),
  )
  const results = await Promise.all(pass!.cells.map(({ key }) => readResult(planPath, key)))
  const [first, ...others] = pass!.cells.filter((_, i) => results[i] === undefined)
  if (first) await runner.run([first, ...others], signal)
})
