/** @file The start of training for methods that read the base's weights or gradients first. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { gradients } from '../../graph/gradient.ts'
import { createGraph } from '../../graph/ops/index.ts'
import type { Model } from '../../models/registry.ts'
import { smallOf } from '../../models/weights/small-weights.ts'
import { learningDialectOf, type Device } from '../../runtime/device.ts'
import { createRunner } from '../../runtime/session.ts'
import { makeBatch, rowsOfStep, type Example } from './dataset.ts'
import type { Forward } from './int8-forward.ts'
import { batchFeeds, buildLoss, namedFeeds } from './loss-graph.ts'
import type { Batch, BoundMethod, Prepared, Probe, Site } from '../method.ts'

export interface PrepareOptions {
  readonly model: Model
  /** Every weight of the base in float32, by name. */
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly method: BoundMethod
  readonly seed: number
  readonly maxPositions: number
  /** Each row of a batch is one text. */
  readonly oneText?: boolean
  readonly device: Device
  /** How linear layers of an int8 base multiply in training. */
  readonly forward?: Forward | undefined
  /** Training data, for methods that compute gradients before the first step. */
  readonly data?: { readonly examples: readonly Example[]; readonly padId: number }
}

/** Throws `training.small-base` unless the base is in float32: needed to change, train or differentiate its own weights. */
export function requireWhole({
  weights,
  method,
}: Pick<PrepareOptions, 'weights' | 'method'>): void {
  if (smallOf(weights)) throw new TouchstoneError('training.small-base', { method: method.title })
}

export async function prepareMethod(options: PrepareOptions): Promise<Prepared> {
  const { model, weights, method, seed } = options
  if (!method.prepare) return {}
  const probe: Probe = {
    seed,
    sites: sitesOf(model),
    weight: (name) => weights.get(name)!,
    gradients: (names, { batches, batchSize, squared }) => {
      requireWhole(options)
      const given = firstBatches(options, batches, batchSize)
      return meanGradients(options, names, given, squared)
    },
  }
  return method.prepare(probe)
}

/** The linear layers of the blocks, in the order of the checkpoint. */
export const sitesOf = ({ weights }: Pick<Model, 'weights'>): Site[] =>
  [...weights.values()].flatMap(({ name, kind, module, layer = 0, shape }) => {
    if (kind !== 'linear' || module === undefined) return []
    const [outFeatures, inFeatures] = shape as [number, number]
    return [{ name: name.replace(/\.weight$/, ''), module, layer, inFeatures, outFeatures }]
  })

function firstBatches(
  { method, seed, data }: PrepareOptions,
  batches: number,
  batchSize: number,
): Batch[] {
  if (!data) throw new Error(`internal: ${method.name} asks for gradients, but no data was given`)
  const { examples, padId } = data
  return Array.from({ length: batches }, (_, i) => {
    const rows = rowsOfStep(examples.length, batchSize, i, seed)
    return makeBatch(
      rows.map((row) => examples[row]!),
      padId,
    )
  })
}

/** Mean of ∂L/∂W or of its squares over the batches, without an adapter, for the named weights. */
async function meanGradients(
  { model, weights, maxPositions, device }: PrepareOptions,
  names: readonly string[],
  batches: readonly Batch[],
  squared = false,
): Promise<Map<string, Float32Array>> {
  const g = createGraph(learningDialectOf(device))
  const wanted = new Set(names)
  const { taskLoss } = buildLoss(g, model, {
    maxPositions,
    trainable: (name) => (wanted.has(name) ? { learningRateScale: 1 } : undefined),
  })
  const values = g.parameters.map(({ value }) => value)
  const derivatives = gradients(g, taskLoss, values)
  const outputs = Object.fromEntries(values.map(({ name }, i) => [`d:${name}`, derivatives[i]!]))
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  try {
    const tensors = runner.inputs.flatMap((name) => {
      const spec = model.weights.get(name)
      return spec ? [[name, { shape: spec.shape, data: weights.get(name)! }] as const] : []
    })
    const feeds = namedFeeds(tensors, (data) => data)
    const sums = new Map(names.map((name) => [name, new Float32Array(weights.get(name)!.length)]))
    for (const batch of batches) {
      const results = await runner.run({ ...feeds, ...batchFeeds(batch, (data) => data) })
      for (const [name, sum] of sums) {
        const d = results[`d:${name}`]!.data as Float32Array
        for (let i = 0; i < sum.length; i++)
          sum[i]! += (squared ? d[i]! * d[i]! : d[i]!) / batches.length
      }
    }
    return sums
  } finally {
    await runner.release()
  }
}
