/** @file Runs planned cells one after the other. A result depends on the spec alone; models and data are shared between cells. */
import { mkdir, rm } from 'node:fs/promises'
import type {
  CellResult,
  ModelCellSpec,
  PlannedCell,
  TestbedCellSpec,
} from '../../contract/sweeps.ts'
import { toWireError } from '../../errors/wire.ts'
import type { Measures } from './cell-measures.ts'
import { workFolder, writeResult } from '../files.ts'
import { findTestbed } from '../testbeds/find-testbed.ts'
import { checkIdentity, measureModel, openCellInputs, type CellInputs } from './model-cell.ts'
import { canonicalJson } from '../../files/canonical-json.ts'

interface CellRunner {
  /** Writes the result file, also of a failed cell, and resolves to it. If `signal` is aborted it rejects and writes nothing. */
  run(cell: PlannedCell, signal: AbortSignal): Promise<CellResult>
  close(): Promise<void>
}

/** Cells of one plan, in the folder of `planPath`. */
export function createCellRunner(planPath: string): CellRunner {
  const benches = createBenches()
  return {
    async run(cell, signal) {
      const began = performance.now()
      const work = workFolder(planPath, cell.key)
      const measured = await settled(() => measure(cell, work, benches, signal), signal)
      await rm(work, { recursive: true, force: true })
      const seconds = (performance.now() - began) / 1000
      const result: CellResult = { key: cell.key, ...measured, seconds }
      await writeResult(planPath, result)
      return result
    },
    close: () => benches.close(),
  }
}

type Outcome = Omit<CellResult, 'key' | 'seconds'>

async function settled(run: () => Promise<Measures>, signal: AbortSignal): Promise<Outcome> {
  try {
    return { status: 'done', error: null, ...(await run()) }
  } catch (error) {
    signal.throwIfAborted()
    return { status: 'failed', error: toWireError(error), metrics: [], curves: [] }
  }
}

async function measure(
  { spec, identity }: PlannedCell,
  work: string,
  benches: Benches,
  signal: AbortSignal,
): Promise<Measures> {
  signal.throwIfAborted()
  if (spec.kind === 'testbed') return measureTestbed(spec, signal)
  const inputs = await benches.for(spec)
  checkIdentity(inputs, identity)
  // A partial result of another process is not continued: the beginning of its curve would be missing.
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  try {
    return await measureModel(spec, inputs, work, signal)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function measureTestbed(spec: TestbedCellSpec, signal: AbortSignal): Promise<Measures> {
  const testbed = findTestbed(spec.testbed)
  const parameters = testbed.config.parse(spec.parameters)
  const {
    trainError,
    testError,
    metrics = {},
    curve = [],
  } = await testbed.run(parameters, spec.seed, signal)
  const all = { 'train-error': trainError, 'test-error': testError, ...metrics }
  const curves = [...Map.groupBy(curve, ({ name }) => name)].map(([name, points]) => ({
    name,
    x: points.map(({ x }) => x),
    y: points.map(({ value }) => value),
  }))
  return { metrics: Object.entries(all).map(([name, value]) => ({ name, value })), curves }
}

interface Benches {
  for(spec: ModelCellSpec): Promise<CellInputs>
  close(): Promise<void>
}

/** One open model at a time, because a base may fill the memory. */
function createBenches(): Benches {
  let open: { key: string; inputs: CellInputs } | undefined
  const close = async () => {
    const closing = open
    open = undefined
    await closing?.inputs.base.open.close()
  }
  return {
    async for(spec) {
      const { model, data, suite, limit, threads, batchSize, templateVars = null } = spec
      const key = canonicalJson([model, data, suite, limit, threads, batchSize, templateVars])
      if (open?.key !== key) {
        await close()
        open = { key, inputs: await openCellInputs(spec) }
      }
      return open.inputs
    },
    close,
  }
}
