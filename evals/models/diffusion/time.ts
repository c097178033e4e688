/** @file How a diffusion's network is told the level of noise t. */
import type { Value } from '../../graph/value.ts'
import type { ModelScope } from '../architecture.ts'
import type { WeightList } from '../weight-list.ts'

/** Sines and cosines of t at as many frequencies each, from 1 down to 10⁻⁴ (Vaswani et al. 2017, §3.5). */
const FREQUENCIES = 16
const SLOWEST = 1e-4

/** t `[batch, 1]` → `[batch, hidden]`. */
export function timeEmbedding({ g, linear }: ModelScope, t: Value): Value {
  const speeds = Array.from({ length: FREQUENCIES }, (_, k) => SLOWEST ** (k / FREQUENCIES))
  const angles = g.mul(t, g.constant(speeds, g.float, [1, FREQUENCIES]))
  const features = g.concat([g.sin(angles), g.cos(angles)], 1)
  return linear('time.out', g.silu(linear('time.in', features)))
}

export function timeWeights(list: WeightList, { hidden_size: width }: { hidden_size: number }) {
  list.linear('time.in', [width, 2 * FREQUENCIES], { biased: true })
  list.linear('time.out', [width, width], { biased: true })
}

export const layersIn = ({ num_hidden_layers: count }: { num_hidden_layers: number }): number[] =>
  Array.from({ length: count }, (_, i) => i)
