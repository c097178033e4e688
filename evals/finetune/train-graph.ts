/** @file The training session: forward, loss and gradients of one micro-batch as one ONNX graph. */
import { gradients } from '../graph/gradient.ts'
import { CPU, type Dialect } from '../graph/op.ts'
import { createGraph } from '../graph/ops/index.ts'
import type { Model } from '../models/registry.ts'
import { createScope } from '../models/scope.ts'
import type { Device } from '../runtime/device.ts'
import { createRunner, type Feeds, type Tensor } from '../runtime/session.ts'
import type { Batch, AnyMethod, Probe } from './method.ts'
import { initialParameters, namedViews, parameterTable, type ParameterTable } from './parameters.ts'

export interface TrainingSession extends Probe {
  readonly table: ParameterTable
  readonly nodes: number
  release(): Promise<void>
}

export interface TrainingOptions {
  readonly model: Model
  /** Every weight of the base in float32, by name. */
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly method: AnyMethod
  readonly methodConfig: unknown
  readonly seed: number
  readonly maxPositions: number
  readonly device: Device
  readonly dialect?: Dialect
}

/** Builds and opens the graph; `parameters` begin as the method and the seed say. */
export async function openTraining(options: TrainingOptions): Promise<TrainingSession> {
  const { model, weights, seed, device, dialect = CPU } = options
  const { g, outputs } = buildTrainingGraph(options, dialect)
  const table = parameterTable(g.parameters)
  const base = (name: string) => weights.get(name)!
  let parameters = initialParameters(g.parameters, table, seed, base)
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  const asFloat = (data: Float32Array) =>
    dialect.float === 'float64' ? Float64Array.from(data) : data
  const frozen: Record<string, Tensor> = {}
  for (const name of runner.inputs) {
    const spec = model.weights.get(name)
    if (spec && !table.slices.some((slice) => slice.name === name)) {
      frozen[name] = { data: asFloat(base(name)), dims: spec.shape }
    }
  }
  const flat = new Float32Array(table.size)

  async function run(batch: Batch) {
    const feeds: Record<string, Tensor> = { ...frozen, ...batchFeeds(batch, asFloat) }
    for (const [name, { data, shape }] of namedViews(table, parameters))
      feeds[name] = { data: asFloat(data), dims: shape }
    const results = await runner.run(feeds)
    for (const { name, start } of table.slices)
      flat.set(results[`d:${name}`]!.data as Float32Array, start)
    return { loss: Number(results.loss!.data[0]), flat }
  }

  return {
    table,
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
    release: () => runner.release(),
  }
}

function buildTrainingGraph(
  { model, method, methodConfig, maxPositions }: TrainingOptions,
  dialect: Dialect,
) {
  const { architecture, config } = model
  const g = createGraph(dialect)
  const scope = createScope(g, model.weights, {
    maxPositions,
    attach: (site) => method.attach?.(g, site, methodConfig, undefined),
    trainable: (name) => method.trainable?.(name, methodConfig),
  })
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const rows = g.input('rows', 'int32', ['labelled'])
  const labels = g.input('labels', 'int32', ['labelled'])
  const rowWeights = g.input('row_weights', g.float, ['labelled'])
  const input = {
    tokens,
    positions,
    attention: { kind: 'causal' },
    batch: 'batch',
    seq: 'seq',
  } as const
  const { hiddenStates } = architecture.forward(scope, input, config)
  // The head is wide: it sees only the rows whose next token is labelled.
  const logits = architecture.logits(scope, g.gatherRows(hiddenStates, rows), config)
  const taskLoss = g.crossEntropy(logits, labels, rowWeights)
  const loss = method.loss?.(g, { outputs: logits, labels, taskLoss }) ?? taskLoss
  const parameterValues = g.parameters.map(({ value }) => value)
  const derivatives = gradients(g, loss, parameterValues)
  const outputs = Object.fromEntries(
    g.parameters.map(({ name }, i) => [`d:${name}`, derivatives[i]!]),
  )
  return { g, outputs: { loss, ...outputs } }
}

function batchFeeds(
  { tokens, batch, seq, rows, labels, weights }: Batch,
  asFloat: (data: Float32Array) => Float32Array | Float64Array,
): Feeds {
  const positions = Int32Array.from({ length: batch * seq }, (_, i) => i % seq)
  return {
    tokens: { data: tokens, dims: [batch, seq] },
    positions: { data: positions, dims: [batch, seq] },
    rows: { data: rows, dims: [rows.length] },
    labels: { data: labels, dims: [labels.length] },
    row_weights: { data: asFloat(weights), dims: [weights.length] },
  }
}
