/** @file Trains the generator of adapters, and asks it for one. The result follows from the samples, the settings and the seed. */
import { gradients } from '../../graph/gradient.ts'
import { adamW } from '../../graph/optimizer.ts'
import { createGraph } from '../../graph/ops/index.ts'
import { learningDialectOf, type Device } from '../../runtime/device.ts'
import { createRunner } from '../../runtime/session.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { randomStream } from '../../statistics/random.ts'
import { rowsOfStep } from '../training/dataset.ts'
import { namedFeeds } from '../training/loss-graph.ts'
import {
  initialParameters,
  namedViews,
  optimizerGroups,
  parameterTable,
} from '../training/parameters.ts'
import { newOptimizerState } from '../training/train.ts'
import { autoencoder, decoder, type NetworkSizes } from './network.ts'
import { joined } from '../../models/weights/joined.ts'

export interface GeneratorSample {
  readonly flat: Float32Array
  readonly task: Float32Array
}

interface GeneratorSettings {
  readonly latent: number
  readonly condition: number
  readonly steps: number
  readonly batchSize: number
  readonly learningRate: number
  readonly seed: number
}

interface Generator {
  /** Loss of each step. */
  readonly losses: readonly number[]
  /** Each sample through encoder and decoder at the mean of its Gaussian. */
  readonly reconstructions: readonly Float32Array[]
  /** An adapter drawn for a task. */
  readonly generated: Float32Array
}

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }

const drawn = (seed: number, label: string, length: number): Float32Array => {
  const stream = randomStream(seed, label)
  return Float32Array.from({ length }, () => stream.normal())
}

/** @param wanted task vector of the adapter that is asked for */
export async function trainedGenerator(
  samples: readonly GeneratorSample[],
  wanted: Float32Array,
  settings: GeneratorSettings,
  { device, signal }: { device: Device; signal: AbortSignal },
): Promise<Generator> {
  const { steps, learningRate, seed, latent, condition } = settings
  const batch = Math.min(settings.batchSize, samples.length)
  const [{ flat, task }] = samples as [GeneratorSample]
  const sizes = { batch, length: flat.length, task: task.length, condition, latent }
  const open = await openAutoencoder(sizes, seed, device)
  const losses: number[] = []
  try {
    for (let step = 0; step < steps; step++) {
      signal.throwIfAborted()
      const chosen = rowsOfStep(samples.length, batch, step, seed).map((row) => samples[row]!)
      const noise = drawn(seed, `generator:${step}`, batch * latent)
      const { loss, gradient } = await open.run(feedsOf(chosen, noise))
      losses.push(loss)
      await adamW(open.state, gradient, ADAM, open.groups, learningRate, 1)
      await new Promise(setImmediate)
    }
    const reconstructions = await reconstructed(samples, sizes, open)
    const one = { ...sizes, batch: 1 }
    const generated = await decodedOnce(one, open.views(), wanted, settings, device)
    return { losses, reconstructions, generated }
  } finally {
    await open.release()
  }
}

function feedsOf(chosen: readonly GeneratorSample[], noise: Float32Array): Record<string, Tensor> {
  const rows = chosen.length
  const [{ flat, task }] = chosen as [GeneratorSample]
  return {
    x: tensor(
      joined(
        Float32Array,
        chosen.map((sample) => sample.flat),
      ),
      [rows, flat.length],
    ),
    task: tensor(
      joined(
        Float32Array,
        chosen.map((sample) => sample.task),
      ),
      [rows, task.length],
    ),
    noise: tensor(noise, [rows, noise.length / rows]),
  }
}

/** Each sample at ξ = 0; the last batch is filled up from the first samples. */
async function reconstructed(
  samples: readonly GeneratorSample[],
  { batch, length, latent }: NetworkSizes,
  open: Awaited<ReturnType<typeof openAutoencoder>>,
): Promise<Float32Array[]> {
  const found: Float32Array[] = []
  while (found.length < samples.length) {
    const first = found.length
    const chosen = Array.from({ length: batch }, (_, i) => samples[(first + i) % samples.length]!)
    const { y } = await open.run(feedsOf(chosen, new Float32Array(batch * latent)))
    for (let i = 0; i < batch; i++) found.push(y.slice(i * length, (i + 1) * length))
  }
  return found.slice(0, samples.length)
}

const tensor = (data: Float32Array, dims: readonly number[]): Tensor => ({ data, dims })

async function openAutoencoder(sizes: NetworkSizes, seed: number, device: Device) {
  const g = createGraph(learningDialectOf(device))
  const { y, loss } = autoencoder(g, sizes)
  const derivatives = gradients(
    g,
    loss,
    g.parameters.map(({ value }) => value),
  )
  const outputs = Object.fromEntries(
    g.parameters.map(({ name }, i) => [`d:${name}`, derivatives[i]!]),
  )
  const runner = await createRunner(g, { loss, y, ...outputs }, { device, purpose: 'train' })
  const table = parameterTable(g.parameters)
  const none = () => {
    throw new Error('internal: the generator has no checkpoint')
  }
  const state = newOptimizerState(initialParameters(g.parameters, table, seed, none))
  const views = () => namedViews(table, state.parameters)
  const gradient = new Float32Array(table.size)
  return {
    state,
    views,
    groups: optimizerGroups(table, false),
    async run(feeds: Record<string, Tensor>) {
      const found = await runner.run({ ...feeds, ...namedFeeds(views(), (data) => data) })
      for (const { name, start } of table.slices)
        gradient.set(found[`d:${name}`]!.data as Float32Array, start)
      return { loss: Number(found.loss!.data[0]), y: found.y!.data as Float32Array, gradient }
    },
    release: () => runner.release(),
  }
}

/** The adapter of z ~ N(0, 1) for the task. */
async function decodedOnce(
  sizes: NetworkSizes,
  parameters: ReturnType<typeof namedViews>,
  task: Float32Array,
  { seed, latent }: GeneratorSettings,
  device: Device,
): Promise<Float32Array> {
  const g = createGraph(learningDialectOf(device))
  const runner = await createRunner(g, { y: decoder(g, sizes) }, { device, purpose: 'train' })
  try {
    const own = new Set(g.parameters.map(({ name }) => name))
    const used = [...parameters].filter(([name]) => own.has(name))
    const found = await runner.run({
      noise: tensor(drawn(seed, 'generator:z', latent), [1, latent]),
      task: tensor(task, [1, task.length]),
      ...namedFeeds(used, (data) => data),
    })
    return (found.y!.data as Float32Array).slice()
  } finally {
    await runner.release()
  }
}
