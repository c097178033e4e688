/**
 * @file Rotary positions in a graph: tables by position if frequencies are fixed, angles per token if they depend on the
 * text's length. Cached keys hold only for the frequencies they were computed with: a text whose frequencies change is
 * processed again (inference/writing.ts).
 */
import type { RotaryTables } from '../graph/ops/attention.ts'
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Value } from '../graph/value.ts'
import type { ForwardInput } from './architecture.ts'
import {
  rotaryAmplitude,
  rotaryFrequencies,
  stretchesOf,
  type RotaryConfig,
  type Stretches,
} from './rotary.ts'

/** Rows of the tables for tokens, int32 `[batch, seq]`; cos and sin `[rows, rotaryDim/2]`. */
export interface Rotary {
  readonly tables: RotaryTables
  readonly rows: Value
  /** A token's row is its position, so a kernel that counts positions may use the tables. */
  readonly isByPosition: boolean
}

/** For texts of up to `longest` tokens. */
export function openRotary(
  g: Graph,
  config: RotaryConfig,
  longest: number,
  input: ForwardInput,
): Rotary {
  const stretches = stretchesOf(config, longest)
  if (stretches.count > 1) return turnByToken(g, config, stretches, input)
  const tables = tablesByPosition(g, config, longest)
  return { tables, rows: input.positions, isByPosition: true }
}

const whole = (g: Graph, value: number) => g.constant([value], 'int32', [])

function tablesByPosition(g: Graph, config: RotaryConfig, longest: number): RotaryTables {
  const frequencies = rotaryFrequencies(config)
  const amplitude = rotaryAmplitude(config)
  const half = frequencies.length
  const table = (f: (angle: number) => number) => {
    const data = new Float32Array(longest * half)
    for (let p = 0; p < longest; p++) {
      for (let i = 0; i < half; i++) data[p * half + i] = amplitude * f(p * frequencies[i]!)
    }
    return g.constant(data, g.float, [longest, half])
  }
  return { cos: table(Math.cos), sin: table(Math.sin) }
}

/**
 * ONNX Runtime computes sines in vectors and the remainder with another function, which differs in the last bit. Rows of a
 * multiple of this width leave no remainder, so that angles do not depend on the batch.
 */
const LANES = 16
const evenLanes = (half: number): number => Math.ceil(half / LANES) * LANES

/** `[batch, 1 or seq, lanes]`. */
function frequenciesOfTexts(
  g: Graph,
  config: RotaryConfig,
  { trained, count }: Stretches,
  input: ForwardInput,
): Value {
  const lanes = evenLanes(config.rotaryDim / 2)
  const data = new Float32Array(count * lanes)
  for (let stretch = 0; stretch < count; stretch++)
    data.set(rotaryFrequencies(config, stretch), stretch * lanes)
  const table = g.constant(data, g.float, [count, lanes])
  const least = (x: Value, y: Value) => g.where(g.greaterOrEqual(x, y), y, x)
  const beyond = g.sub(textLengths(g, input), whole(g, trained))
  const capped = least(beyond, whole(g, count - 1))
  const stretch = g.where(g.greaterOrEqual(capped, whole(g, 0)), capped, whole(g, 0))
  return g.gatherRows(table, stretch)
}

/** Length of the text of each token, int32 `[batch, 1]`, or `[batch, seq]` for packed rows. */
function textLengths(g: Graph, { attention, positions, batch, seq }: ForwardInput): Value {
  switch (attention.kind) {
    case 'cached':
    case 'paged':
      return g.add(g.reshape(attention.last, [batch, 1]), whole(g, 1))
    case 'appended':
      return g.reduceSum(attention.mask, [1], { keepDims: true })
    case 'causal':
      return g.add(g.reduceMax(positions, [1], { keepDims: true }), whole(g, 1))
    case 'bidirectional':
    case 'packed': {
      const { segments } = attention
      if (!segments) return g.add(g.reduceMax(positions, [1], { keepDims: true }), whole(g, 1))
      const isOwn = g.equal(
        g.reshape(segments, [batch, seq, 1]),
        g.reshape(segments, [batch, 1, seq]),
      )
      const own = g.where(isOwn, g.reshape(positions, [batch, 1, seq]), whole(g, 0))
      return g.add(g.reduceMax(own, [2], { keepDims: false }), whole(g, 1))
    }
  }
}

/** One row per token: its position times its text's frequencies. */
function turnByToken(
  g: Graph,
  config: RotaryConfig,
  stretches: Stretches,
  input: ForwardInput,
): Rotary {
  const { positions, batch, seq } = input
  const [count, half] = [multiply(batch, seq), config.rotaryDim / 2]
  const frequencies = frequenciesOfTexts(g, config, stretches, input)
  const at = g.reshape(g.cast(positions, g.float), [batch, seq, 1])
  const angles = g.mul(at, frequencies)
  const amplitude = g.scalar(rotaryAmplitude(config))
  const table = (turned: Value) => {
    const rows = g.reshape(turned, [count, turned.shape[2]!])
    return g.mul(g.slice(rows, 1, 0, half), amplitude)
  }
  const numbers = g.cumSum(g.cast(g.filled([count], 1), 'int32'), 0)
  return {
    tables: { cos: table(g.cos(angles)), sin: table(g.sin(angles)) },
    rows: g.reshape(g.sub(numbers, whole(g, 1)), [batch, seq]),
    isByPosition: false,
  }
}
