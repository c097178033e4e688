/** @file The job `sweep`: plans cells, runs those without a result, and stores every result. */
import { stat, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256OfFile } from '../files/digest.ts'
import { armNameOf, type MethodChoice } from '../finetune/method-choice.ts'
import { benchmarkRow } from '../measure/evaluate.ts'
import { PROCESS_BYTES } from '../audit/plan/memory.ts'
import { plannedBytes } from '../audit/plan/plan-memory.ts'
import { notTogetherNote } from '../arms/side-by-side.ts'
import { statesTogether } from '../audit/plan/together-memory.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { CellIdentity, CellResult, PlannedCell } from '../contract/sweeps.ts'
import type { BenchmarkRow } from '../contract/rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { bindMethod } from '../finetune/registry.ts'
import { emitLog, type JobContext } from '../contract/job.ts'
import type { JobKind, PlanLine } from '../contract/job.ts'
import { counted } from '../contract/words.ts'
import { axesOf, planCells } from './cells/cell.ts'
import { splitConversations } from './cells/cell-data.ts'
import { SweepConfig } from './config.ts'
import { borrowResult, openSweepFolder, readResult, resultPath, writeResult } from './files.ts'
import { findTestbed } from './testbeds/find-testbed.ts'
import {
  dataDigest,
  engineNumerics,
  modelDigest,
  promptsDigest,
  testbedIdentity,
} from './cells/identity.ts'
import { cellSecondsOn, estimateTime, type CellSeconds } from './estimate.ts'
import { jobsFor, thisMachine, type CellSize } from './jobs-estimate.ts'
import { measuredSteps, openCellInputs, suiteSteps, type CellInputs } from './cells/model-cell.ts'
import { runInWorkers } from './cells/workers.ts'

export const sweepJob: JobKind<SweepConfig> = {
  name: 'sweep',
  config: SweepConfig,
  title: (config) => {
    const axes = axesOf(config).map(({ name, values }) => `${name} ${values.join(', ')}`)
    const methods = config.methods.map(armNameOf).join(', ')
    const what = config.testbed ?? `${methods} of ${config.model} on ${config.data}`
    return `Sweep of ${[what, ...axes].join('; ')}`
  },
  plan: async (config) => planLines(await surveyed(config), config),
  async run(config, context, progress) {
    const survey = await surveyed(config)
    const { cells, benchmarks, alone } = survey
    for (const message of alone) emitLog(context, 'info', message)
    const planPath = await openSweepFolder(join(dirname(context.workspace), 'sweeps'), cells)
    benchmarks.forEach((row) => context.emit({ type: 'benchmark', row }))
    await emitPlan(planPath, context)
    const reported = reportedCells(progress.rows())
    const waiting = await settleFinished(planPath, cells, { config, reported, context })
    await runCells(planPath, waiting, { config, survey, context })
  },
}

interface Survey {
  readonly cells: readonly PlannedCell[]
  readonly benchmarks: readonly BenchmarkRow[]
  readonly size: CellSize
  /** Undefined for a testbed, whose trials are timed. */
  readonly cellSeconds: CellSeconds | undefined
  /** Log messages about methods whose states cannot be evaluated together. */
  readonly alone: readonly string[]
}

/** Reads what the cells and their keys depend on. */
async function surveyed(config: SweepConfig): Promise<Survey> {
  if (config.testbed === null) return surveyedModel(config)
  const identity = testbedIdentity(findTestbed(config.testbed))
  const size = { bytes: PROCESS_BYTES, threads: 1 }
  const cells = planCells(config, identity)
  return { cells, benchmarks: [], size, cellSeconds: undefined, alone: [] }
}

async function surveyedModel(config: SweepConfig): Promise<Survey> {
  const { model, data, suite, limit, threads, batchSize, methods, training } = config
  // Validate the configuration before loading the model.
  planCells(config, { base: null, data: null, prompts: null, numerics: '' })
  const spec = { model: model!, data: data!, suite, limit, threads, batchSize }
  const inputs = await openCellInputs(spec)
  try {
    refuseFewRows(config, splitConversations(inputs.data!.conversations).training.length)
    const identity: CellIdentity = {
      base: modelDigest(inputs.base),
      data: dataDigest(inputs.data!),
      prompts: promptsDigest(inputs.evaluation),
      numerics: engineNumerics(),
    }
    const together = await togetherIn(inputs, config)
    const planned = { methods, basePrecision: 'fp32', training, together } as const
    const bytes = await plannedBytes(inputs.base, planned, inputs.data, true)
    return {
      cells: planCells(config, identity),
      benchmarks: inputs.benchmarks.map(benchmarkRow),
      size: { bytes, threads },
      cellSeconds: cellSecondsOn(inputs),
      alone: config.evalTogether ? methods.flatMap((each) => noteOf(inputs, each) ?? []) : [],
    }
  } finally {
    await inputs.base.open.close()
  }
}

const noteOf = ({ base }: CellInputs, choice: MethodChoice): string | undefined =>
  notTogetherNote(base, armNameOf(choice), bindMethod(choice))

function togetherIn({ base, benchmarks }: CellInputs, config: SweepConfig) {
  const { evalTogether, evalEvery, training, batchSize } = config
  if (!evalTogether) return undefined
  const [steps, suite] = [measuredSteps, suiteSteps].map((of) => of(training.steps, evalEvery))
  return statesTogether(base, benchmarks, { steps: steps!, suite: suite!, batchSize })
}

function refuseFewRows(config: SweepConfig, rows: number): void {
  const most =
    axesOf(config)
      .find(({ name }) => name === 'samples')
      ?.values.at(-1) ?? 0
  if (most <= rows) return
  throw usageError(
    `--axis samples asks for ${most} rows, and the data holds ${rows} beside those held out for the test loss.`,
    `Give numbers up to ${rows}.`,
  )
}

const jobsOf = ({ jobs }: SweepConfig, size: CellSize) => jobs ?? jobsFor(size, thisMachine())

async function planLines(survey: Survey, config: SweepConfig): Promise<PlanLine[]> {
  const { cells, size, cellSeconds } = survey
  const lines = new Set(cells.map(({ spec }) => spec.line)).size
  const jobs = Math.min(jobsOf(config, size), cells.length)
  const { seconds, from } = await estimateTime(cells, cellSeconds)
  const memory = `about ${megabytes(size.bytes)} each, ${megabytes(jobs * size.bytes)} in all`
  const what = `${counted(lines, 'curve')}, ${counted(jobs, 'cell')} at a time (${memory}); cells that were run before are not run again; time ${from}`
  const shared = seconds === undefined ? null : seconds / jobs
  return [{ what, count: cells.length, unit: 'cell', seconds: shared }]
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

async function emitPlan(path: string, { emit }: JobContext): Promise<void> {
  const { size: bytes } = await stat(path)
  emit({ type: 'artifact', row: { role: 'plan', path, digest: await sha256OfFile(path), bytes } })
}

/** Outcomes by key of cells that an earlier attempt at this run emitted. */
const reportedCells = ({ cells = [] }: Pick<AuditRows, 'cells'>): ReadonlyMap<string, string> =>
  new Map(cells.map(({ key, status }) => [key, status]))

interface Settling {
  readonly config: SweepConfig
  readonly reported: ReadonlyMap<string, string>
  readonly context: JobContext
}

/** Emits every cell whose result is in this folder, and returns the others. */
async function settleFinished(
  planPath: string,
  cells: readonly PlannedCell[],
  { config, reported, context }: Settling,
): Promise<PlannedCell[]> {
  const waiting: PlannedCell[] = []
  for (const cell of cells) {
    context.signal.throwIfAborted()
    const result = await resultOf(planPath, cell.key)
    const isToRun = !result || (result.status === 'failed' && config.retryErrors)
    if (result && isToRun) await rm(resultPath(planPath, cell.key))
    if (isToRun) waiting.push(cell)
    else if (reported.get(cell.key) !== result.status) emitCell(cell, result, context)
  }
  context.flush()
  return waiting
}

async function resultOf(planPath: string, key: string): Promise<CellResult | undefined> {
  const own = await readResult(planPath, key)
  if (own) return own
  const borrowed = await borrowResult(planPath, key)
  if (borrowed) await writeResult(planPath, borrowed)
  return borrowed
}

function emitCell(cell: PlannedCell, result: CellResult, { emit }: JobContext): void {
  emit({ type: 'cell', row: { ...cell, ...result } })
}

interface Running {
  readonly config: SweepConfig
  readonly survey: Survey
  readonly context: JobContext
}

async function runCells(
  planPath: string,
  waiting: readonly PlannedCell[],
  { config, survey, context }: Running,
): Promise<void> {
  if (waiting.length === 0) return
  const { emit, signal } = context
  const phase = 'cells'
  emit({ type: 'phase-start', phase, total: waiting.length, unit: 'cell' })
  let done = 0
  await runInWorkers({
    planPath,
    cells: waiting,
    jobs: jobsOf(config, survey.size),
    signal,
    onSettled: async (cell) => {
      const result = await readResult(planPath, cell.key)
      if (!result) throw new Error(`internal: cell ${cell.position} left no result`)
      emitCell(cell, result, context)
      if (result.error) {
        const { message } = result.error
        emitLog({ emit }, 'warn', `Cell ${cell.position} failed: ${message}`)
      }
      emit({ type: 'phase-progress', phase, done: ++done })
    },
  })
  emit({ type: 'phase-end', phase })
}
