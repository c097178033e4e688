/** @file What the cells of a sweep and their keys depend on, and how large one is. */
import { PROCESS_BYTES } from '../audit/plan/memory.ts'
import { plannedBytes } from '../audit/plan/plan-memory.ts'
import { statesTogether } from '../audit/plan/together-memory.ts'
import { notTogetherNote } from '../arms/side-by-side.ts'
import { benchmarkRow } from '../measure/evaluate.ts'
import type { BenchmarkRow } from '../contract/rows.ts'
import type { CellIdentity, PlannedCell } from '../contract/sweeps.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { armNameOf, type MethodChoice } from '../finetune/method-choice.ts'
import { bindMethod } from '../finetune/registry.ts'
import { axesOf, planCells } from './cells/cell.ts'
import { splitConversations } from './cells/cell-data.ts'
import {
  dataDigest,
  engineNumerics,
  modelDigest,
  promptsDigest,
  testbedIdentity,
} from './cells/identity.ts'
import { measuredSteps, openCellInputs, suiteSteps, type CellInputs } from './cells/model-cell.ts'
import { subjectOf, variablesOf, type SweepConfig } from './config.ts'
import { cellSecondsOn, type CellSeconds } from './estimate.ts'
import type { TaskSize } from '../runtime/jobs-estimate.ts'
import type { Scheduler } from '../runtime/schedulers/scheduler.ts'
import { findTestbed } from './testbeds/find-testbed.ts'

export interface Survey {
  readonly cells: readonly PlannedCell[]
  readonly benchmarks: readonly BenchmarkRow[]
  readonly size: TaskSize
  /** Undefined for a testbed, whose trials are timed. */
  readonly cellSeconds: CellSeconds | undefined
  /** Log messages about methods whose states cannot be evaluated together. */
  readonly alone: readonly string[]
}

/** Reads what the cells and their keys depend on. */
export async function surveyed(config: SweepConfig): Promise<Survey> {
  if (config.testbed === null) return surveyedModel(config)
  const identity = testbedIdentity(findTestbed(config.testbed))
  const size = { bytes: PROCESS_BYTES, threads: 1 }
  const cells = planCells(config, identity)
  return { cells, benchmarks: [], size, cellSeconds: undefined, alone: [] }
}

async function surveyedModel(config: SweepConfig): Promise<Survey> {
  const { limit, threads, batchSize, methods, training } = config
  // Validate the configuration before loading the model.
  planCells(config, { base: null, data: null, prompts: null, numerics: '' })
  const spec = {
    ...subjectOf(config),
    limit,
    threads,
    batchSize,
    ...variablesOf(config),
  }
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
      cellSeconds: config.task === null ? cellSecondsOn(inputs) : undefined,
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

export const jobsOf = ({ jobs }: Pick<SweepConfig, 'jobs'>, scheduler: Scheduler, size: TaskSize) =>
  jobs ?? scheduler.jobsFor(size)
