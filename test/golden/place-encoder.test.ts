/** @file Networks over places against PyTorch in float64: features, logits, loss and every gradient. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { bind } from '../../evals/finetune/method.ts'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { openEncoderSession } from '../../evals/inference/encoder-session.ts'
import { PLACE_ENCODER } from '../../evals/models/families/place-encoder.ts'
import { featuresAt } from '../../evals/models/location/encodings.ts'
import { recognise } from '../../evals/models/registry.ts'
import { numberTokenizer } from '../../evals/models/text/number-tokenizer.ts'
import { floats, integers, readOracle, relativeError } from '../doubles/models/safetensors.ts'
import { lanes } from '../doubles/training/lanes.ts'

/** Written again in make-place-encoder.py. */
const [degrees, width, layers, classes] = [4, 6, 2, 3]
const NETWORKS = ['siren', 'residual'] as const
const oracleOf = (network: string) =>
  readOracle(
    join(import.meta.dirname, 'fixtures', `place-encoder-${network}`, 'expected.safetensors'),
  )
const places = rowsOf(floats(oracleOf(NETWORKS[0]), 'places'), 2)
const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4

const ids = places.map((place) => numberTokenizer('').encode(place.join(' ')))

function modelOf(network: string) {
  const config = {
    model_type: PLACE_ENCODER,
    encoding: 'spherical-harmonics',
    network,
    degrees,
    hidden_size: width,
    num_hidden_layers: layers,
    num_labels: classes,
  }
  const model = recognise({ path: '', config, weights: new Map() }, 'make')
  const specs = [...model.weights.values()].map(({ made: _, ...spec }) => spec)
  // As the script writes them.
  const number = (name: string, i: number) => 0.4 * Math.sin(1 + 0.7 * i + name.length)
  const weights = new Map(
    specs.map(({ name, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1)
      return [name, Float32Array.from({ length }, (__, i) => number(name, i))]
    }),
  )
  return { model: { ...model, weights: new Map(specs.map((spec) => [spec.name, spec])) }, weights }
}

function rowsOf(values: ArrayLike<number>, columns: number): number[][] {
  const all = Array.from(values)
  return Array.from({ length: all.length / columns }, (_, i) =>
    all.slice(i * columns, (i + 1) * columns),
  )
}

test('spherical harmonics are those of Legendre’s polynomials', () => {
  const reference = rowsOf(floats(oracleOf(NETWORKS[0]), 'harmonics'), degrees ** 2)
  places.forEach(([lon = NaN, lat = NaN], i) => {
    const found = featuresAt('spherical-harmonics', { lon, lat }, { degrees, scales: 1 })
    found.forEach((value, f) => expect(value).toBeCloseTo(reference[i]![f]!, 6))
  })
})

describe.each(NETWORKS)('%s', (network) => {
  const oracle = oracleOf(network)

  test('logits', async () => {
    const { model, weights } = modelOf(network)
    const limits = { maxPositions: 2, padId: 0, batchSize: 3 }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const reference = rowsOf(floats(oracle, 'logits'), classes)
    const logits = await session.run('classes', ids)
    logits.forEach((row, i) => expect(relativeError(row, reference[i]!)).toBeLessThan(TOLERANCE))
    await session.release()
  })

  test('loss and every gradient', async () => {
    const { model, weights } = modelOf(network)
    const session = await openTraining({
      model,
      weights,
      method: bind(full, { learningRateScale: 1 }),
      device,
      seed: 0,
      maxPositions: 2,
    })
    const { loss, flat } = await session.gradients({
      tokens: Int32Array.from(ids.flat()),
      ...lanes(ids.length, 2),
      rows: Int32Array.from(ids, (_, b) => 2 * b),
      labels: Int32Array.from(integers(oracle, 'classes')),
      weights: new Float32Array(ids.length).fill(1 / ids.length),
    })
    expect(Math.abs(loss - floats(oracle, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    const views = namedViews(session.table, flat)
    const named = [...views.keys()].map((name) => `place.grad.${name}`)
    expect(named.sort()).toEqual([...oracle.keys()].filter((key) => key.includes('grad')).sort())
    for (const [name, { data }] of views)
      expect(relativeError(data, floats(oracle, `place.grad.${name}`)), name).toBeLessThan(
        TOLERANCE,
      )
    await session.release()
  })
})
