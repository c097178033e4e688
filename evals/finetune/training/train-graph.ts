/** @file Opens a training session: forward pass, loss and gradients of a micro-batch in one ONNX graph, and the start of training. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { gradients } from '../../graph/gradient.ts'
import type { Dialect } from '../../graph/op.ts'
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { keptData, overlaid } from '../../models/weights/small-weights.ts'
import { learningDialectOf } from '../../runtime/device.ts'
import type { DeviceMemory } from '../../runtime/resident-memory.ts'
import { createRunner, type Runner } from '../../runtime/session.ts'
import type { FrozenData, Tensor } from '../../runtime/tensor.ts'
import { precisionOf, requireInt8Forward } from './int8-forward.ts'
import type { Batch, BoundMethod, CutModel, Layout, Perturbation } from '../method.ts'
import { batchFeeds, buildLoss, buildLossInPieces, namedFeeds, REFERENCE } from './loss-graph.ts'
import { lossPieces } from './loss-pieces.ts'
import { openObserver, scopeOptions, type Observer } from './observer.ts'
import {
  initialParameters,
  isTrained,
  namedViews,
  parameterTable,
  withMadeWeights,
  type ParameterTable,
} from './parameters.ts'
import { prepareMethod, requireWhole, sitesOf, type PrepareOptions } from './prepare.ts'
import type { ResidentGradients, TrainingSession } from './session.ts'

export interface TrainingOptions extends PrepareOptions {
  readonly dialect?: Dialect
  /** Recomputes each block in the backward pass and keeps only its input until then. Same bits, less memory. */
  readonly checkpointing?: boolean
  /** Labelled rows of a micro-batch, on average; decides whether the loss is computed in pieces (`loss-pieces.ts`). */
  readonly labelled?: number
}

/** Builds and opens the graph. `parameters` hold the start given by the method and the seed. */
export async function openTraining(given: TrainingOptions): Promise<TrainingSession> {
  const { method, seed, device, dialect = learningDialectOf(device) } = given
  if (method.trainable ?? method.perturb) requireWhole(given)
  const cut = method.cut?.(given)
  const { model, weights: own } = cut ?? given
  const options = { ...given, model, weights: withMadeWeights(model, own, seed) }
  if (given.forward === 'int8')
    await requireInt8Forward({ model, device, precision: precisionOf(given.weights) })
  const built = buildTrainingGraph(options, dialect)
  const table = parameterTable(built.g.parameters)
  const sites = sitesOf(model)
  requireTarget(table, model, sites, method)
  const { prepared, weights } = await startOf(options, cut)
  const openRunner = () => createRunner(built.g, built.outputs, { device, purpose: 'train' })
  const runner = await openRunner()
  const observer = await openObserver(options, dialect)
  const declared = new Map(built.g.inputs.map((value) => [value.name, value]))
  const inputs = () => constantInputs(runner.inputs, declared, givenTo(options, weights), table)
  const constant = inputs()
  const frozen = feedsOf(constant, declared, dialect)
  await runner.keep(frozen)
  const wake = async (graph: OpenGraph) => {
    inputs().forEach((value, name) => constant.set(name, value))
    Object.assign(frozen, feedsOf(constant, declared, dialect))
    graph.runner = await openRunner()
  }
  const layout = { table, model, sites, weight: weightOf(constant, weights) }
  const base = (name: string) => weights.get(name)!
  const parameters = initialParameters(built.g.parameters, table, seed, base, prepared.parameters)
  const graph = { options, dialect, runner, observer, constant, frozen, wake }
  const { leastRows } = built
  return sessionOf({ ...graph, leastRows }, { layout, prepared, weights, parameters })
}

/** What the method prepared, and the weights that it leaves. */
async function startOf(options: PrepareOptions, cut: CutModel | undefined) {
  const begun = await prepareMethod(options)
  const prepared = cut ? { ...begun, kept: cut.kept } : begun
  if (prepared.weights) requireWhole(options)
  const weights = prepared.weights ? overlaid(options.weights, prepared.weights) : options.weights
  return { prepared, weights }
}

/** Inputs that are the same in every run, by name. */
type ConstantInputs = Map<string, { shape: readonly number[]; data: FrozenData }>

interface OpenGraph {
  readonly options: PrepareOptions
  readonly dialect: Dialect
  runner: Runner
  /** Opens it again, with what it is fed. */
  readonly wake: (graph: OpenGraph) => Promise<void>
  isAsleep?: boolean
  readonly observer: Observer | undefined
  readonly constant: ConstantInputs
  readonly frozen: Record<string, Tensor>
  readonly leastRows: number
}

type Start = Pick<TrainingSession, 'layout' | 'prepared' | 'weights' | 'parameters'>

function sessionOf(graph: OpenGraph, start: Start): TrainingSession {
  const { options, runner, observer } = graph
  const { method } = options
  const { table } = start.layout
  let { parameters } = start
  const gradients = gradientsIn(graph, table)
  let released: Promise<unknown> | undefined
  return {
    ...start,
    method,
    table,
    nodes: runner.nodes,
    memorySize: method.memory?.(start.layout) ?? 0,
    ...(runner.memory &&
      staysOnDevice(method) && { resident: residentGradients(graph, runner.memory) }),
    get parameters() {
      return parameters
    },
    setParameters(next) {
      if (next.length !== table.size)
        throw new Error(`internal: ${next.length} parameters given, ${table.size} expected`)
      parameters = next
    },
    gradients: (batch, perturbation = {}) =>
      gradients(batch, perturbation, perturbation.parameters ?? parameters),
    ...(canRest(graph) && { rest: () => fallAsleep(graph) }),
    async release() {
      released ??= Promise.all([fallAsleep(graph), observer?.release()])
      await released
    },
  }
}

/** Opening a graph again takes a second; in a device's memory it holds what would have to be copied again. */
const canRest = ({ options: { device }, runner, observer }: OpenGraph): boolean =>
  device.name === 'cpu' && !runner.memory && !observer

/** What it is fed goes too: a weight in a file is read again where it is asked for. */
async function fallAsleep(graph: OpenGraph): Promise<void> {
  if (graph.isAsleep) return
  graph.isAsleep = true
  graph.constant.clear()
  for (const name of Object.keys(graph.frozen)) delete graph.frozen[name]
  await graph.runner.release()
}

/** Computes loss and gradients on the host, in a vector `[table.size]` that the next call overwrites. */
function gradientsIn(graph: OpenGraph, table: ParameterTable) {
  const { observer, constant, frozen, leastRows, dialect } = graph
  const asFloat = floatsOf(dialect)
  const flat = new Float32Array(table.size)
  const trained = table.slices.filter(isTrained)
  // A graph in float32 writes its gradients into `flat`.
  const into: Record<string, Tensor> = {}
  if (dialect.float === 'float32')
    for (const { name, shape, start, end } of trained)
      into[`d:${name}`] = { data: flat.subarray(start, end), dims: shape }
  return async (batch: Batch, { inputs = new Map() }: Perturbation, parameters: Float32Array) => {
    if (graph.isAsleep) await graph.wake(graph)
    graph.isAsleep = false
    const replaced = [...inputs].flatMap(([name, data]) => {
      const shape = constant.get(name)?.shape
      return shape ? [[name, { data, shape }] as const] : []
    })
    const feeds: Record<string, Tensor> = {
      ...frozen,
      ...namedFeeds(replaced, asFloat),
      ...namedFeeds(namedViews(table, parameters), asFloat),
      ...batchFeeds(batch, asFloat, leastRows),
    }
    const observed = (await observer?.look(feeds)) ?? []
    const results = await graph.runner.run({ ...feeds, ...namedFeeds(observed, asFloat) }, into)
    for (const { name, start } of trained)
      if (!into[`d:${name}`]) flat.set(results[`d:${name}`]!.data as Float32Array, start)
    return { loss: Number(results.loss!.data[0]), flat }
  }
}

const residentGradients = (
  { runner, frozen, leastRows, dialect, options }: OpenGraph,
  memory: DeviceMemory,
): ResidentGradients => ({
  device: options.device,
  memory,
  async run(batch, parameters, derivatives) {
    const fed = { ...frozen, ...parameters, ...batchFeeds(batch, floatsOf(dialect), leastRows) }
    const targets = Object.entries(derivatives).map(([name, d]) => [`d:${name}`, d] as const)
    const { loss } = await runner.run(fed, Object.fromEntries(targets))
    return Number(loss!.data[0])
  },
})

const floatsOf =
  ({ float }: Dialect) =>
  (data: Float32Array): Float32Array | Float64Array =>
    float === 'float64' ? Float64Array.from(data) : data

/**
 * The data of a graph input: a weight in its stored form, or under `REFERENCE` the base's own weight, which is the same memory
 * unless the method changed it.
 */
const givenTo =
  ({ weights: own }: PrepareOptions, changed: ReadonlyMap<string, Float32Array>) =>
  (input: string): FrozenData | undefined => {
    const isReference = input.startsWith(REFERENCE)
    const name = isReference ? input.slice(REFERENCE.length) : input
    return keptData(isReference ? own : changed, name)
  }

/** A weight in float32, from the graph's inputs where it is in memory already. */
const weightOf =
  (constant: ConstantInputs, weights: ReadonlyMap<string, Float32Array>) =>
  (name: string): Float32Array => {
    const fed = constant.get(name)?.data
    return fed instanceof Float32Array ? fed : weights.get(name)!
  }

/** Whether a step of the method needs no parameters, gradients or outputs on the host. */
export const staysOnDevice = (method: Pick<BoundMethod, 'perturb' | 'step' | 'observe'>): boolean =>
  !method.perturb && !method.step && !method.observe

/** Throws `training.no-target` if no parameter would be trained, or a method of adapters has none beside the head. */
function requireTarget(
  { slices }: ParameterTable,
  { weights }: PrepareOptions['model'],
  sites: Layout['sites'],
  { settings, trainable }: BoundMethod,
): void {
  const isHead = (name: string) => weights.get(name)?.head === true
  if (slices.some((slice) => isTrained(slice) && (trainable || !isHead(slice.name)))) return
  const { targetModules = [] } = settings as { targetModules?: readonly string[] }
  const known = [...new Set(sites.map(({ module }) => module))]
  throw new TouchstoneError('training.no-target', { targets: targetModules.join(', '), known })
}

/** Frozen weights, and zeros for inputs that `perturb` may replace. */
function constantInputs(
  names: readonly string[],
  declared: ReadonlyMap<string, Value>,
  given: (input: string) => FrozenData | undefined,
  { slices }: ParameterTable,
): ConstantInputs {
  const parameters = new Set(slices.map(({ name }) => name))
  const constant = new Map<string, { shape: readonly number[]; data: FrozenData }>()
  for (const name of names) {
    const { shape } = declared.get(name)!
    if (parameters.has(name) || !shape.every((dim) => typeof dim === 'number')) continue
    const size = shape.reduce((product, dim) => product * dim, 1)
    constant.set(name, { shape, data: given(name) ?? new Float32Array(size) })
  }
  return constant
}

const feedsOf = (
  constant: ConstantInputs,
  declared: ReadonlyMap<string, Value>,
  dialect: Dialect,
): Record<string, Tensor> =>
  Object.fromEntries(
    [...constant].map(([name, { shape, data }]) => {
      const isFloat = declared.get(name)!.dtype === dialect.float
      const fed = isFloat ? floatsOf(dialect)(data as Float32Array) : data
      return [name, { data: fed, dims: shape }]
    }),
  )

function buildTrainingGraph(options: TrainingOptions, dialect: Dialect) {
  const g = createGraph(dialect)
  const { taskLoss, known, leastRows } = buildTrainingLoss(g, options)
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

/** The reported loss, and the value or gradients from which the backward pass starts. */
function buildTrainingLoss(g: Graph, options: TrainingOptions) {
  const { model, method, labelled = 0, device } = options
  const scope = scopeOptions(options)
  const pieces = device.name === 'cpu' ? lossPieces(model, method, labelled) : 1
  if (pieces > 1) {
    const { taskLoss, known } = buildLossInPieces(g, model, scope, pieces)
    // A single row uses another kernel, and ONNX Runtime cannot gather a label from an empty piece.
    return { taskLoss, known: new Map([known]), leastRows: 2 * pieces }
  }
  const { logits, ...inputs } = buildLoss(g, model, scope)
  const loss = method.loss?.(g, { ...inputs, outputs: logits }) ?? inputs.taskLoss
  return { taskLoss: inputs.taskLoss, known: loss, leastRows: 0 }
}
