/** @file Networks of the tasks satclip and scene3d against PyTorch in float64: outputs, loss and every gradient. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../../evals/finetune/methods/full.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { makeBatch, type Example } from '../../../evals/finetune/training/dataset.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { openEncoderSession } from '../../../evals/inference/encoder-session.ts'
import { PLACE_CONTRAST } from '../../../evals/models/families/place-contrast.ts'
import { POINT_MAP } from '../../../evals/models/families/point-map.ts'
import { recognise } from '../../../evals/models/registry.ts'
import { numberTokenizer } from '../../../evals/models/text/number-tokenizer.ts'
import { floats, readOracle, relativeError } from '../../doubles/models/safetensors.ts'

const FIXTURES = join(import.meta.dirname, '..', 'fixtures')
const TOLERANCE = 1e-4

// Written again in make-task-networks.py.
const PLACES = [
  [0, 0],
  [10, 52],
  [-179.5, -33.25],
  [77.75, 89],
  [151, -90],
]
const LABELS = [0, 1, 1, 0, 1]
const numbers = (count: number, step: number) =>
  Array.from({ length: count }, (_, i) => 0.5 * Math.sin(step * (i + 1)))
const part = (values: readonly number[], size: number, i: number) =>
  values.slice(i * size, (i + 1) * size)
const ids = (values: readonly number[]) => numberTokenizer('').encode(values.join(' '))

const described = numbers(PLACES.length * 4, 0.9)
const pixels = numbers(16, 1.3)
const targets = numbers(12, 0.7)
const [labelWeights, confidences] = [
  [0, 1, 0, 2],
  [0.5, 0, 1, 0],
]

interface Known {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>> & { readonly model_type: string }
  readonly examples: readonly Example[]
}

const NETWORKS: readonly Known[] = [
  {
    name: 'place-contrast-siren',
    config: {
      model_type: PLACE_CONTRAST,
      encoding: 'spherical-harmonics',
      degrees: 4,
      hidden_size: 6,
      num_hidden_layers: 2,
      projection_dim: 3,
      feature_size: 2,
      id2label: { 0: '1', 1: '2' },
      num_labels: 2,
    },
    examples: PLACES.map((place, i) => ({
      ids: ids([...place, ...part(described, 4, i)]),
      label: LABELS[i]!,
    })),
  },
  {
    name: 'point-map-relu',
    config: {
      model_type: POINT_MAP,
      hidden_size: 6,
      num_hidden_layers: 2,
      scene_scale: 2,
      confidence_weight: 0.2,
    },
    examples: [0, 1, 2, 3].map((i) => ({
      ids: ids(part(pixels, 4, i)),
      target: [...part(targets, 3, i), labelWeights[i]!, confidences[i]!],
    })),
  },
]

function modelOf({ config }: Known) {
  const model = recognise({ path: '', config, weights: new Map() }, 'make')
  const specs = [...model.weights.values()].map(({ made: _, ...spec }) => spec)
  const weights = new Map(
    specs.map((spec) => {
      const length = spec.shape.reduce((product, size) => product * size, 1)
      // As the script writes them.
      const number = (i: number) => 0.4 * Math.sin(1 + 0.7 * i + spec.name.length)
      return [spec.name, Float32Array.from({ length }, (_, i) => number(i))]
    }),
  )
  return { model: { ...model, weights: new Map(specs.map((spec) => [spec.name, spec])) }, weights }
}

const device = { name: 'cpu', threads: 1 } as const

describe.each(NETWORKS.map((known) => [known.name, known] as const))('%s', (name, known) => {
  const oracle = readOracle(join(FIXTURES, name, 'expected.safetensors'))
  const { model, weights } = modelOf(known)

  test('outputs', async () => {
    const limits = { maxPositions: 8, padId: 0, batchSize: 3 }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const outputs = await session.run(
      'classes',
      known.examples.map((example) => example.ids),
    )
    const given = outputs.flatMap((row) => [...row])
    expect(relativeError(given, floats(oracle, 'logits'))).toBeLessThan(TOLERANCE)
    await session.release()
  })

  test('loss and every gradient', async () => {
    const method = bind(full, { learningRateScale: 1 })
    const session = await openTraining({ model, weights, method, device, seed: 0, maxPositions: 8 })
    const { loss, flat } = await session.gradients(makeBatch(known.examples, 0))
    expect(Math.abs(loss - floats(oracle, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    const views = namedViews(session.table, flat)
    const named = [...views.keys()].map((weight) => `grad.${weight}`)
    const expected = [...oracle.keys()].filter((key) => key.startsWith('grad.'))
    expect(named.sort()).toEqual(expected.sort())
    for (const [weight, { data }] of views)
      expect(relativeError(data, floats(oracle, `grad.${weight}`)), weight).toBeLessThan(TOLERANCE)
    await session.release()
  })
})
