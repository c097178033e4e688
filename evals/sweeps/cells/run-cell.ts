/** @file Runs planned cells, one pass after the other. A result depends on the spec alone; models and data are shared between cells. */
import { mkdir, rm } from 'node:fs/promises'
import type { CellResult, ModelCellSpec, TestbedCellSpec } from '../../contract/sweeps.ts'
import { toWireError } from '../../errors/wire.ts'
import type { Measures } from './cell-measures.ts'
import { workFolder, writeResult } from '../files.ts'
import { findTestbed } from '../testbeds/find-testbed.ts'
import type { TestbedResult } from '../testbeds/testbed.ts'
import { checkIdentity, measureModel, openCellInputs, type CellInputs } from './model-cell.ts'
import type { Pass } from './passes.ts'
import { canonicalJson } from '../../files/canonical-json.ts'

interface CellRunner {
  /** Writes the result file of each cell, also of a failed one, and resolves to them. If `signal` is aborted it rejects and writes nothing. */
  run(cells: Pass['cells'], signal: AbortSignal): Promise<CellResult[]>
  close(): Promise<void>
}

/** Cells of one plan, in the folder of `planPath`. */
export function createCellRunner(planPath: string): CellRunner {
  const benches = createBenches()
  return {
    async run(cells, signal) {
      const began = performance.now()
      const outcomes = await passed(cells, planPath, benches, signal)
      const seconds = (performance.now() - began) / 1000 / cells.length
      const results = outcomes.map((outcome, i) => ({ key: cells[i]!.key, ...outcome, seconds }))
      for (const result of results) await writeResult(planPath, result)
      return results
    },
    close: () => benches.close(),
  }
}

type Outcome = Omit<CellResult, 'key' | 'seconds'>

/** One outcome for each cell. */
async function passed(
  cells: Pass['cells'],
  planPath: string,
  benches: Benches,
  signal: AbortSignal,
): Promise<Outcome[]> {
  signal.throwIfAborted()
  const [{ spec, identity, key }] = cells
  try {
    if (spec.kind === 'testbed') return await runTestbed(spec, cells, signal)
    const inputs = await benches.for(spec)
    checkIdentity(inputs, identity)
    return [
      done(
        await inFolder(workFolder(planPath, key), (work) =>
          measureModel(spec, inputs, work, signal),
        ),
      ),
    ]
  } catch (error) {
    signal.throwIfAborted()
    return cells.map(() => failed(error))
  }
}

const done = (measures: Measures): Outcome => ({ status: 'done', error: null, ...measures })
const failed = (error: unknown): Outcome => ({
  status: 'failed',
  error: toWireError(error),
  metrics: [],
  curves: [],
})

/** A partial result of another process is not continued: the beginning of its curve would be missing. */
async function inFolder<T>(work: string, run: (work: string) => Promise<T>): Promise<T> {
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  try {
    return await run(work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function runTestbed(
  { testbed: name, parameters: given, seed }: TestbedCellSpec,
  cells: Pass['cells'],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const testbed = findTestbed(name)
  const { config, together } = testbed
  const parameters = config.parse(given)
  if (!together) return [done(measuresOf(await testbed.run(parameters, seed, signal)))]
  const { block } = together
  const results = await together.run(parameters, Math.floor(seed / block), signal)
  return cells.map(({ spec }) => done(measuresOf(results[spec.seed % block]!)))
}

function measuresOf({ trainError, testError, metrics = {}, curve = [] }: TestbedResult): Measures {
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
