/** @file Loss, error and gradient of the digit reader at given weights, in float64: for tests on the way and for sharpness. */
import { buildLoss, batchFeeds, namedFeeds } from '../../../finetune/training/loss-graph.ts'
import type { Batch } from '../../../finetune/method.ts'
import { gradients } from '../../../graph/gradient.ts'
import { FLOAT64 } from '../../../graph/op.ts'
import { createGraph } from '../../../graph/ops/index.ts'
import type { Model } from '../../../models/registry.ts'
import { chooseDevice } from '../../../runtime/device.ts'
import { createRunner } from '../../../runtime/session.ts'
import { CLASSES, PIXELS } from '../digits/rows.ts'
import { ADAPTED } from './reader.ts'

type Weights = ReadonlyMap<string, Float32Array>

export interface Fit {
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Share of rows whose largest logit is another class's. */
  readonly error: number
  /** ∂loss/∂W of the adapted matrix. */
  readonly gradient: Float64Array
}

export interface Measuring {
  fit(weights: Weights, batch: Batch): Promise<Fit>
  release(): Promise<void>
}

export async function openMeasuring(model: Model): Promise<Measuring> {
  const g = createGraph(FLOAT64)
  const { logits, taskLoss } = buildLoss(g, model, { maxPositions: PIXELS })
  const adapted = g.inputs.find(({ name }) => name === ADAPTED)!
  const [gradient] = gradients(g, taskLoss, [adapted])
  const outputs = { logits, loss: taskLoss, gradient: gradient! }
  const runner = await createRunner(g, outputs, {
    device: chooseDevice('cpu', 1),
    purpose: 'train',
  })
  const asFloat = (data: Float32Array) => Float64Array.from(data)
  return {
    async fit(weights, batch) {
      const tensors = [...model.weights.values()].map(
        ({ name, shape }) => [name, { shape, data: weights.get(name)! }] as const,
      )
      const feeds = { ...namedFeeds(tensors, asFloat), ...batchFeeds(batch, asFloat) }
      const found = await runner.run(feeds)
      return {
        loss: Number(found.loss!.data[0]),
        error: errorOf(found.logits!.data as Float64Array, batch.labels),
        gradient: found.gradient!.data as Float64Array,
      }
    },
    release: () => runner.release(),
  }
}

function errorOf(logits: Float64Array, labels: Int32Array): number {
  const wrong = labels.filter((label, row) => {
    const own = logits.subarray(row * CLASSES, (row + 1) * CLASSES)
    return own.indexOf(own.reduce((a, b) => Math.max(a, b))) !== label
  })
  return wrong.length / labels.length
}
