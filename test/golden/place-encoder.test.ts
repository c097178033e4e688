/** @file Networks over places against PyTorch in float64: features, logits, loss and every gradient. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { bind } from '../../evals/finetune/method.ts'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { openEncoderSession } from '../../evals/inference/encoder-session.ts'
import { PLACE_ENCODER } from '../../evals/models/families/place-encoder.ts'
import { encode, FLOAT64 } from '../../evals/models/location/encodings.ts'
import { recognise } from '../../evals/models/registry.ts'
import { numberTokenizer } from '../../evals/models/text/number-tokenizer.ts'
import { relativeError } from '../doubles/models/safetensors.ts'
import { lanes } from '../doubles/training/lanes.ts'

interface Oracle {
  readonly logits: readonly (readonly number[])[]
  readonly loss: number
  readonly gradients: Readonly<Record<string, readonly number[]>>
}
interface Fixture {
  readonly degrees: number
  readonly width: number
  readonly layers: number
  readonly classes: number
  readonly places: readonly (readonly [number, number])[]
  readonly labels: readonly number[]
  readonly harmonics: readonly (readonly number[])[]
  readonly siren: Oracle
  readonly residual: Oracle
}
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'place-encoder.json'), 'utf8'),
) as Fixture
const { degrees, width, layers, classes, places, labels } = fixture
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

test('spherical harmonics are those of Legendre’s polynomials', () => {
  places.forEach(([lon, lat], i) => {
    const found = encode(FLOAT64, 'spherical-harmonics', { lon, lat }, { degrees, scales: 1 })
    found.forEach((value, f) => expect(value).toBeCloseTo(fixture.harmonics[i]![f]!, 7))
  })
})

describe.each(['siren', 'residual'] as const)('%s', (network) => {
  const oracle = fixture[network]

  test('logits', async () => {
    const { model, weights } = modelOf(network)
    const limits = { maxPositions: 2, padId: 0, batchSize: 3 }
    const session = openEncoderSession({ model, frozen: weights }, device, limits)
    const logits = await session.run('classes', ids)
    logits.forEach((row, i) =>
      expect(relativeError(row, oracle.logits[i]!)).toBeLessThan(TOLERANCE),
    )
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
      labels: Int32Array.from(labels),
      weights: new Float32Array(ids.length).fill(1 / ids.length),
    })
    expect(Math.abs(loss - oracle.loss)).toBeLessThan(TOLERANCE)
    const views = namedViews(session.table, flat)
    expect([...views.keys()].sort()).toEqual(Object.keys(oracle.gradients).sort())
    for (const [name, { data }] of views)
      expect(relativeError(data, oracle.gradients[name]!), name).toBeLessThan(TOLERANCE)
    await session.release()
  })
})
