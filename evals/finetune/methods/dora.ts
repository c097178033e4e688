/**
 * @file DoRA: W′_i = m_i · V_i/ρ_i with V = W + s·B·A and ρ_i = ‖V_i‖₂ by output row, so that magnitude m and direction
 * are learned separately (Liu et al. 2024, Eq. 5). ρ is a constant in the gradient (§4.3); m starts as ‖W_i‖₂.
 * See docs/methods/dora-allora.md.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import {
  asPeftFolder,
  lowRankFields,
  lowRankPair,
  MAGNITUDE,
  mergedWeight,
  peftConfigOf,
  targets,
} from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'

const config = z.object(lowRankFields)
export const dora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'dora',
  title: 'DoRA',
  paper: 'arXiv:2402.09353',
  faithfulness: 'exact',
  notes: ['Wants about half of LoRA’s learning rate.'],
  config,
  mergeable: true,
  identityAtStart: true,

  hooks(config) {
    const peft = peftConfigOf(config, { useDora: true })
    return {
      attach(g, site) {
        const { name, weight: W, outFeatures } = site
        const pair = lowRankPair(g, site, peft)
        if (!pair) return undefined
        const { A, B, scale } = pair
        const magnitude = g.parameter(`${name}.${MAGNITUDE}`, [outFeatures])
        const V = mergedWeight(g, W, pair)
        const ratio = g.div(magnitude, g.constantOf(rowNorms(g, V)))
        return {
          forward: (x) => g.mul(g.lowRankLinear(x, W, A, B, scale), ratio),
          weight: () => g.mul(g.reshape(ratio, [outFeatures, 1]), V),
        }
      },
      prepare(probe) {
        const adapted = probe.sites.filter(({ name }) => targets(peft, name))
        const parameters = adapted.map(({ name, inFeatures }) => {
          const W = probe.weight(`${name}.weight`)
          return [`${name}.${MAGNITUDE}`, lengthsOfRows(W, inFeatures)] as const
        })
        return Promise.resolve({ parameters: new Map(parameters) })
      },
      toPeft: (parameters, base) => asPeftFolder(parameters, peft, base),
    }
  },
}

const rowNorms = (g: Graph, V: Value): Value =>
  g.sqrt(g.reduceSum(g.mul(V, V), [1], { keepDims: false }))

/** ‖W_i‖₂ of every row `[out]`, summed in float64. */
function lengthsOfRows(W: Float32Array, columns: number): Float32Array {
  const squares = new Float64Array(W.length / columns)
  W.forEach((w, i) => (squares[Math.floor(i / columns)]! += w * w))
  return Float32Array.from(squares, Math.sqrt)
}
