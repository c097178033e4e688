/** @file The job `sweep`: plans cells, runs those without a result, and stores every result. */
import { armNameOf } from '../finetune/method-choice.ts'
import { emitLog } from '../contract/job.ts'
import type { JobKind, PlanLine } from '../contract/job.ts'
import { counted } from '../contract/words.ts'
import { axesOf } from './cells/cell.ts'
import { SWEEP, SweepConfig } from './config.ts'
import { powerLines, testSeconds } from './plan-power.ts'
import { jobsOf, surveyed, type Survey } from './survey.ts'
import { estimateTime } from './estimate.ts'
import { openCellRuns } from './cells/cell-runs.ts'
import { passesOf } from './cells/passes.ts'
import { schedulerOf } from '../runtime/schedulers/registry.ts'

export const sweepJob: JobKind<SweepConfig> = {
  name: SWEEP,
  config: SweepConfig,
  title: (config) => {
    const axes = axesOf(config).map(({ name, values }) => `${name} ${values.join(', ')}`)
    const methods = config.methods.map(armNameOf).join(', ')
    const of = config.task === null ? `${config.model} on ${config.data}` : `task ${config.task}`
    const what = config.testbed ?? `${methods} of ${of}`
    return `Sweep of ${[what, ...axes].join('; ')}`
  },
  plan: async (config) => [
    ...(await planLines(await surveyed(config), config)),
    ...(await powerLines(config)),
  ],
  async run(config, context, progress) {
    if (config.planPower)
      return emitLog(context, 'warn', 'Only the plan was asked for: no cell was run.')
    const survey = await surveyed(config)
    const { cells, benchmarks, alone } = survey
    for (const message of alone) emitLog(context, 'info', message)
    benchmarks.forEach((row) => context.emit({ type: 'benchmark', row }))
    const { retryErrors } = config
    const scheduler = schedulerOf(config)
    const opening = { retryErrors, scheduler, rows: progress.rows() }
    const runs = await openCellRuns(cells, context, opening)
    const waiting = await runs.settle(cells)
    if (waiting.length === 0) return
    runs.begin(waiting.length)
    await runs.run(waiting, jobsOf(config, scheduler, survey.size))
    runs.end()
  },
}

async function planLines(survey: Survey, config: SweepConfig): Promise<PlanLine[]> {
  const { cells, size, cellSeconds } = survey
  const { on } = config
  const lines = new Set(cells.map(({ spec }) => spec.line)).size
  const jobs = Math.min(jobsOf(config, schedulerOf(config), size), passesOf(cells).length)
  const { seconds, looks, from } = await estimateTime(cells, cellSeconds)
  const memory = `about ${megabytes(size.bytes)} each, ${megabytes(jobs * size.bytes)} in all`
  const what = `${counted(lines, 'curve')}, ${counted(jobs, 'cell')} at a time${on === 'local' ? '' : ` on ${on}`} (${memory}); cells that were run before are not run again; time ${from}, and of the tests`
  const shared = seconds === undefined ? null : seconds / jobs + testSeconds(config, looks)
  return [{ what, count: cells.length, unit: 'cell', seconds: shared }]
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`
