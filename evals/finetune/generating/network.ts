/**
 * @file The conditional VAE of ICM-LoRA (Shao et al. 2025): twelve convolutions that halve the length, a Gaussian given the task vector,
 * and twelve mirrored ones. Reads the same parameters whether the whole is built or the decoder alone.
 */
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { FLAT_BLOCK } from './flat.ts'
import {
  batchNormed,
  convolved,
  divergence,
  elu,
  KERNEL,
  leaky,
  spreadOut,
  type Rows,
} from './layers.ts'

const CHANNELS = [8, 16, 32, 64, 128, 256, 256, 128, 64, 32, 16, 8]
const WIDTH = 256
/** Weight of the divergence beside the mean squared error. */
const KL_WEIGHT = 0.005

export interface NetworkSizes {
  readonly batch: number
  /** Of a flat adapter. */
  readonly length: number
  /** Of a task vector, and of what it is mapped to. */
  readonly task: number
  readonly condition: number
  readonly latent: number
}

const uniform = (inputs: number) => ({ initialiser: { uniform: 1 / Math.sqrt(inputs) } })

function linear(g: Graph, name: string, x: Value, out: number): Value {
  const inputs = x.shape.at(-1) as number
  const W = g.parameter(`${name}.weight`, [out, inputs], uniform(inputs))
  return g.add(g.matMulT(x, W), g.parameter(`${name}.bias`, [out], uniform(inputs)))
}

/** Weights of a convolution, `[out, 7·channels]` and `[out]`. */
function kernel(g: Graph, name: string, channels: number, out: number): [Value, Value] {
  const inputs = KERNEL * channels
  const W = g.parameter(`${name}.weight`, [out, inputs], uniform(inputs))
  return [W, g.parameter(`${name}.bias`, [out], uniform(inputs))]
}

/** x `[batch, length]` → `[batch, 8·length/4096]`. */
function encoded(g: Graph, x: Value, { batch, length }: NetworkSizes): Value {
  let rows: Rows = { batch, length, channels: 1 }
  let y = g.reshape(x, [batch * length, 1])
  for (const [i, out] of CHANNELS.entries()) {
    y = convolved(g, y, rows, ...kernel(g, `encoder.${i}`, rows.channels, out))
    const γ = g.parameter(`encoder.${i}.gamma`, [out], { initialiser: 'ones' })
    y = leaky(
      g,
      batchNormed(g, y, γ, g.parameter(`encoder.${i}.beta`, [out], { initialiser: 'zeros' })),
    )
    rows = { batch, length: rows.length / 2, channels: out }
  }
  return g.reshape(y, [batch, rows.length * rows.channels])
}

/** z `[batch, latent]`, condition `[batch, condition]` → `[batch, length]`. */
function decoded(g: Graph, z: Value, condition: Value, { batch, length }: NetworkSizes): Value {
  const short = length / FLAT_BLOCK
  const [channels] = CHANNELS.slice(-1) as [number]
  const begun = linear(g, 'decoder', g.concat([z, condition], 1), short * channels)
  let rows: Rows = { batch, length: short, channels }
  let y = g.reshape(begun, [batch * short, channels])
  const outs = [...CHANNELS.toReversed().slice(1), 1]
  for (const [i, out] of outs.entries()) {
    y = spreadOut(g, y, rows, ...kernel(g, `decoder.${i}`, rows.channels, out))
    if (i < outs.length - 1) y = elu(g, y)
    rows = { batch, length: 2 * rows.length, channels: out }
  }
  return g.reshape(y, [batch, length])
}

const conditionOf = (g: Graph, { batch, task, condition }: NetworkSizes): Value =>
  linear(g, 'condition', g.input('task', g.float, [batch, task]), condition)

/** Inputs x, task and noise (ξ); the reconstruction, the mean squared error, and the loss. */
export function autoencoder(g: Graph, sizes: NetworkSizes) {
  const { batch, length, latent } = sizes
  const x = g.input('x', g.float, [batch, length])
  const condition = conditionOf(g, sizes)
  const hidden = g.concat([linear(g, 'encoder', encoded(g, x, sizes), WIDTH), condition], 1)
  const μ = linear(g, 'mean', hidden, latent)
  const logVariance = linear(g, 'log-variance', hidden, latent)
  const σ = g.exp(g.mul(logVariance, g.scalar(0.5)))
  const z = g.add(μ, g.mul(σ, g.input('noise', g.float, [batch, latent])))
  const y = decoded(g, z, condition, sizes)
  const off = g.sub(y, x)
  const total = g.reduceSum(g.mul(off, off), [0, 1], { keepDims: false })
  const error = g.mul(total, g.scalar(1 / (batch * length)))
  const kl = g.mul(divergence(g, μ, logVariance), g.scalar(KL_WEIGHT / batch))
  return { y, loss: g.add(error, kl) }
}

/** Inputs noise (z) and task; the flat adapter. */
export function decoder(g: Graph, sizes: NetworkSizes): Value {
  const z = g.input('noise', g.float, [sizes.batch, sizes.latent])
  return decoded(g, z, conditionOf(g, sizes), sizes)
}
