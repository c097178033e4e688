/** @file The training session: forward, loss and gradients of one micro-batch as one ONNX graph, and where training starts. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { gradients } from '../../graph/gradient.ts'
import type { Dialect } from '../../graph/op.ts'
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { keptData, overlaid } from '../../models/weights/small-weights.ts'
import { learningDialectOf } from '../../runtime/device.ts'
import type { DeviceMemory } from '../../runtime/resident-memory.ts'
import { createRunner } from '../../runtime/session.ts'
import type { FrozenData, Tensor } from '../../runtime/tensor.ts'
import type { ResidentGradients } from './device-learner.ts'
import { precisionOf, requireInt8Forward } from './int8-forward.ts'
import type { AnyMethod, Batch, Layout, Perturbation, Prepared } from '../method.ts'
import { batchFeeds, buildLoss, buildLossInPieces, namedFeeds, REFERENCE } from './loss-graph.ts'
import { lossPieces } from './loss-pieces.ts'
import { openObserver, scopeOptions } from './observer.ts'
import {
  initialParameters,
  isTrained,
  namedViews,
  parameterTable,
  withMadeWeights,
  type ParameterTable,
} from './parameters.ts'
import { prepareMethod, requireWhole, sitesOf, type PrepareOptions } from './prepare.ts'

export interface TrainingSession {
  readonly table: ParameterTable
  readonly layout: Layout
  readonly methodConfig: unknown
  readonly nodes: number
  /** Where training started: what a resume must find again, and what an export needs. */
  readonly prepared: Prepared
  /** The base as it is run: the checkpoint's weights, moved where the method moved them. */
  readonly weights: ReadonlyMap<string, Float32Array>
  /** How many numbers the method remembers between steps. */
  readonly memorySize: number
  readonly parameters: Float32Array
  setParameters(parameters: Float32Array): void
  /** `flat` is `[table.size]`, overwritten by the next call; fixed tensors have zeros there. */
  gradients(
    batch: Batch,
    perturbation?: Perturbation,
  ): Promise<{ loss: number; flat: Float32Array }>
  /** Absent where parameters and gradients come and go: on the CPU, without the addon, and for methods that look at them. */
  readonly resident?: ResidentGradients
  release(): Promise<void>
}

export interface TrainingOptions extends PrepareOptions {
  readonly dialect?: Dialect
  /** Each block is computed a second time in the backward pass, so that only its input is held until then. Same bits. */
  readonly checkpointing?: boolean
  /** Labelled rows of a micro-batch on average: many before a wide head are taken in pieces (`loss-pieces.ts`). */
  readonly labelled?: number
}

/** Builds and opens the graph; `parameters` begin as the method and the seed say. */
export async function openTraining(asked: TrainingOptions): Promise<TrainingSession> {
  const { model, method, methodConfig, seed, device, dialect = learningDialectOf(device) } = asked
  const options = { ...asked, weights: withMadeWeights(model, asked.weights, seed) }
  if (method.trainable ?? method.perturb) requireWhole(options)
  if (asked.forward === 'int8')
    await requireInt8Forward({ model, device, precision: precisionOf(asked.weights) })
  const { g, outputs, leastRows } = buildTrainingGraph(options, dialect)
  const table = parameterTable(g.parameters)
  const sites = sitesOf(model)
  requireTarget(table, sites, methodConfig)
  const prepared = await prepareMethod(options)
  if (prepared.weights) requireWhole(options)
  const weights = prepared.weights ? overlaid(options.weights, prepared.weights) : options.weights
  const base = (name: string) => weights.get(name)!
  // What is fed is in memory already.
  const weight = (name: string) => {
    const fed = still.get(name)?.data
    return fed instanceof Float32Array ? fed : base(name)
  }
  const layout = { table, sites, weight }
  let parameters = initialParameters(g.parameters, table, seed, base, prepared.parameters)
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  const asFloat = (data: Float32Array) =>
    dialect.float === 'float64' ? Float64Array.from(data) : data
  const asFed = (data: FrozenData, { dtype }: Value) =>
    dtype === dialect.float ? asFloat(data as Float32Array) : data
  const observer = await openObserver(options, dialect)
  const declared = new Map(g.inputs.map((value) => [value.name, value]))
  const still = stillFeeds(runner.inputs, declared, givenTo(options, weights), table)
  const frozen = Object.fromEntries(
    [...still].map(([name, { shape, data }]) => [
      name,
      { data: asFed(data, declared.get(name)!), dims: shape },
    ]),
  )
  await runner.keep(frozen)
  const flat = new Float32Array(table.size)
  const derivatives = table.slices.filter(isTrained)
  // Where the graph computes in what `flat` holds, gradients are written there at once.
  const into =
    dialect.float === 'float32'
      ? Object.fromEntries(
          derivatives.map(({ name, shape, start, end }) => [
            `d:${name}`,
            { data: flat.subarray(start, end), dims: shape },
          ]),
        )
      : {}

  async function run(batch: Batch, perturbation: Perturbation = {}) {
    const moved = [...(perturbation.inputs ?? [])].flatMap(([name, data]) => {
      const shape = still.get(name)?.shape
      return shape ? [[name, { data, shape }] as const] : []
    })
    const feeds: Record<string, Tensor> = {
      ...frozen,
      ...namedFeeds(moved, asFloat),
      ...namedFeeds(namedViews(table, perturbation.parameters ?? parameters), asFloat),
      ...batchFeeds(batch, asFloat, leastRows),
    }
    const observed = (await observer?.look(feeds)) ?? []
    const results = await runner.run({ ...feeds, ...namedFeeds(observed, asFloat) }, into)
    for (const { name, start } of derivatives)
      if (!into[`d:${name}`]) flat.set(results[`d:${name}`]!.data as Float32Array, start)
    return { loss: Number(results.loss!.data[0]), flat }
  }

  const { memory } = runner
  const residentOn = (memory: DeviceMemory): ResidentGradients => ({
    device,
    memory,
    async run(batch, there, derivatives) {
      const feeds = { ...frozen, ...there, ...batchFeeds(batch, asFloat, leastRows) }
      const targets = Object.entries(derivatives).map(([name, d]) => [`d:${name}`, d] as const)
      const { loss } = await runner.run(feeds, Object.fromEntries(targets))
      return Number(loss!.data[0])
    },
  })

  return {
    table,
    layout,
    methodConfig,
    prepared,
    ...(memory && staysOnDevice(method, methodConfig) && { resident: residentOn(memory) }),
    weights,
    memorySize: method.memory?.(layout, methodConfig) ?? 0,
    nodes: runner.nodes,
    get parameters() {
      return parameters
    },
    setParameters(next) {
      if (next.length !== table.size)
        throw new Error(`internal: ${next.length} parameters given, ${table.size} expected`)
      parameters = next
    },
    gradients: run,
    release: async () => {
      await runner.release()
      await observer?.release()
    },
  }
}

/**
 * What an input of the graph is fed: a weight as it is kept, and under the name by which a loss that compares with the base
 * reads it, the base's own: the same memory where none was moved.
 */
const givenTo =
  ({ weights: own }: PrepareOptions, moved: ReadonlyMap<string, Float32Array>) =>
  (input: string): FrozenData | undefined => {
    const isReference = input.startsWith(REFERENCE)
    const name = isReference ? input.slice(REFERENCE.length) : input
    return keptData(isReference ? own : moved, name)
  }

/** Whether a step of it asks the host for nothing. */
export const staysOnDevice = (method: AnyMethod, methodConfig: unknown): boolean =>
  !method.perturb && !method.step && !method.observe?.wants(methodConfig)

/** A method that found nothing to train would train nothing, and say so nowhere. */
function requireTarget(
  { trained }: ParameterTable,
  sites: Layout['sites'],
  methodConfig: unknown,
): void {
  if (trained > 0) return
  const { targetModules = [] } = methodConfig as { targetModules?: readonly string[] }
  const known = [...new Set(sites.map(({ module }) => module))]
  throw new TouchstoneError('training.no-target', { targets: targetModules.join(', '), known })
}

/** What is fed as it is on every run: frozen weights, and zeros for what adapters may be given by `perturb`. */
function stillFeeds(
  names: readonly string[],
  declared: ReadonlyMap<string, Value>,
  given: (input: string) => FrozenData | undefined,
  { slices }: ParameterTable,
): Map<string, { shape: readonly number[]; data: FrozenData }> {
  const trained = new Set(slices.map(({ name }) => name))
  const still = new Map<string, { shape: readonly number[]; data: FrozenData }>()
  for (const name of names) {
    const shape = declared.get(name)!.shape
    if (trained.has(name) || !shape.every((dim) => typeof dim === 'number')) continue
    const size = shape.reduce((product, dim) => product * dim, 1)
    still.set(name, { shape, data: given(name) ?? new Float32Array(size) })
  }
  return still
}

function buildTrainingGraph(options: TrainingOptions, dialect: Dialect) {
  const g = createGraph(dialect)
  const { taskLoss, known, leastRows } = learntFrom(g, options)
  const trained = g.parameters.filter(isTrained)
  const derivatives = gradients(
    g,
    known,
    trained.map(({ value }) => value),
    options,
  )
  const outputs = Object.fromEntries(trained.map(({ name }, i) => [`d:${name}`, derivatives[i]!]))
  return { g, outputs: { loss: taskLoss, ...outputs }, leastRows }
}

/** The loss that is told, and the gradients that the walk begins with. */
function learntFrom(g: Graph, options: TrainingOptions) {
  const { model, method, methodConfig, labelled = 0, device } = options
  const asked = scopeOptions(g, options)
  const pieces = device.name === 'cpu' ? lossPieces(model, method, methodConfig, labelled) : 1
  if (pieces > 1) {
    const { taskLoss, known } = buildLossInPieces(g, model, asked, pieces)
    // A lone row goes through another kernel, and ONNX Runtime cannot pick a label out of none.
    return { taskLoss, known: new Map([known]), leastRows: 2 * pieces }
  }
  const { logits, ...inputs } = buildLoss(g, model, asked)
  const loss = method.loss?.(g, { ...inputs, outputs: logits }, methodConfig) ?? inputs.taskLoss
  return { taskLoss: inputs.taskLoss, known: loss, leastRows: 0 }
}
