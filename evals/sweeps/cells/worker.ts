/** @file A worker process of a sweep: runs cells of the plan whose path is its argument. */
import { serveTasks } from '../../runtime/worker-loop.ts'
import { readPlan } from '../files.ts'
import { createCellRunner } from './run-cell.ts'

const planPath = process.argv[2]!
const runner = createCellRunner(planPath)
const plan = readPlan(planPath)

serveTasks(async (position, signal) => {
  const cells = await plan
  await runner.run(cells[position]!, signal)
})
