/** @file A process that trains and measures one arm of an audit, which the file at its argument describes. A task that died begins anew. */
import { runArm } from '../../arms/arm.ts'
import type { JobContext, Progress } from '../../contract/job.ts'
import { toWireError } from '../../errors/wire.ts'
import { readJson } from '../../files/read-file.ts'
import { openJudges } from '../../measure/open-judges.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { serveTasks } from '../../runtime/worker-loop.ts'
import { armPlans, dataOf } from '../arm-plans.ts'
import { evaluationPlan } from '../evaluation-plan.ts'
import { learningBase, openedBase } from '../subjects/local.ts'
import { ArmsTask, elsewhereIn, forgetArm, journalPath } from './arms-elsewhere.ts'
import { readBaseRows } from './base-rows.ts'
import { openJournal } from './journal.ts'

const opening = readJson(process.argv[2]!).then((json) => ArmsTask.parse(json))
// Its failure reaches the first task.
opening.catch(() => undefined)

serveTasks(async (position, signal) => {
  const task = await opening
  const journal = await openJournal(journalPath(task.workspace, position))
  const context = { ...journal, signal, workspace: task.workspace }
  try {
    await runOne(position, task, context, () => journal.begin())
  } catch (error) {
    signal.throwIfAborted()
    return journal.finish(toWireError(error))
  }
  await journal.finish()
})

/** Nothing of this arm has been measured: its journal would be in place. */
const refused = () => {
  throw new Error('internal: an arm asked for rows of a run')
}
const fresh: Progress = {
  evaluations: [],
  rows: refused,
  sealed: refused,
  ended: refused,
  exceptionOf: refused,
}

async function runOne(
  position: number,
  { config, evaluates, workspace }: ArmsTask,
  context: JobContext,
  begin: () => void,
): Promise<void> {
  const device = chooseDevice(config.device, config.threads ?? undefined)
  const opened = await openedBase(config, device, context)
  const judges = await openJudges(config, device, context.signal)
  try {
    const data = await dataOf(config)
    const base = await learningBase(opened, config, data, context)
    const evaluation = evaluates
      ? {
          ...(await evaluationPlan(base, config, { judges, progress: fresh }, context)),
          base: await readBaseRows(elsewhereIn(workspace)),
        }
      : undefined
    const arms = await armPlans({ base, data, config, evaluation }, context)
    const plan = arms[position]!
    await forgetArm(workspace, plan)
    begin()
    await runArm(base, plan, context)
  } finally {
    await judges.close()
    await opened.open.close()
  }
}
