/** @file A null update: Gaussian noise of the change's size, ‖G‖_F = ‖ΔW‖_F, in the same matrix. */
import { fillNormal, randomStream } from '../statistics/random.ts'
import type { Numbers } from './decomposition/matrix.ts'
import { frobeniusNorm } from './measures.ts'
import { lowRankSingularValues, type LowRankChange } from './decomposition/partial-svd.ts'

type UpdateToMatch = {
  W0: Numbers
  W1: Numbers
  /** ΔW, if known more accurately than W1 − W0. */
  change: LowRankChange | undefined
  seed: number
  weight: string
}

/** W0 + G, a function of seed and weight; W0 itself if nothing changed. */
export function randomUpdate({ W0, W1, change, seed, weight }: UpdateToMatch): Numbers {
  const size = change
    ? frobeniusNorm(lowRankSingularValues(change, weight))
    : frobeniusNorm(Float64Array.from(W1, (x, i) => x - W0[i]!))
  if (size === 0) return W0
  const G = fillNormal(new Float64Array(W0.length), randomStream(seed, `null update of ${weight}`))
  const factor = size / frobeniusNorm(G)
  return G.map((x, i) => W0[i]! + factor * x)
}
