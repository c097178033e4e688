/**
 * @file ALLoRA: y = x·Wᵀ + x·(B·A)ᵀ without dropout or scaling. The gradient of output row i of B·A is multiplied by
 * c_i = 1/√(‖(BA)_i‖₂ + 1/η²) (Huang & Balestriero 2024, §4; the norm is not squared), so that B leaves zero quickly:
 * ∇B = (c ⊙ G)·Aᵀ, ∇A = Bᵀ·(c ⊙ G). The gradient with respect to x is unchanged. See docs/methods/dora-allora.md.
 */
import { z } from 'zod'
import { product } from '../../graph/ops/linalg.ts'
import type { Graph } from '../../graph/ops/index.ts'
import type { Op } from '../../graph/op.ts'
import type { Value } from '../../graph/value.ts'
import { asPeftFolder, lowRankFields, lowRankPair, mergedWeight, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'
import type { PeftConfig } from '../../models/formats/peft-config.ts'
import { realNumber } from '../settings.ts'

const config = z.object({
  rank: lowRankFields.rank,
  targetModules: lowRankFields.targetModules,
  rankPattern: lowRankFields.rankPattern,
  etaSquared: realNumber({ above: 0, max: 1e6 }, 2, {
    label: 'η²',
    help: 'The largest factor of a gradient row is η, where B·A is zero',
  }),
  rate: z.enum(['effective', 'base']).default('effective').meta({
    label: 'Rate',
    help: 'effective: the learning rate times η, the paper’s; base: the learning rate itself',
  }),
})
type Config = z.infer<typeof config>

/** s = 1 in every layer: α = r. */
const peftOf = ({ rank, targetModules, rankPattern }: Config): PeftConfig =>
  peftConfigOf({ rank, alpha: rank, targetModules, rankPattern, alphaPattern: rankPattern })

export const allora: FineTuneMethod<Config> = {
  name: 'allora',
  title: 'ALLoRA',
  paper: 'arXiv:2410.09692',
  faithfulness: 'exact',
  notes: [
    'With AdamW a factor that all rows share cancels; only how rows differ acts. The setting "rate" says whether the learning rate is multiplied by η as well.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,

  hooks(config) {
    const peft = peftOf(config)
    const rate = config.rate === 'effective' ? Math.sqrt(config.etaSquared) : 1
    return {
      attach(g, site) {
        const pair = lowRankPair(g, site, peft, { rateOfA: rate, rateOfB: rate })
        if (!pair) return undefined
        const { weight: W } = site
        return {
          forward(x) {
            const c = rowFactors(g, pair.A, pair.B, config.etaSquared)
            return g.apply(RowScaledLowRank, [x, W, pair.A, pair.B, c], undefined)[0]!
          },
          weight: () => mergedWeight(g, W, pair),
        }
      },
      toPeft: (parameters, base) => asPeftFolder(parameters, peft, base),
    }
  },
}

/** c `[out]`. The squared norm of row i of B·A is B_i·(A·Aᵀ)·B_iᵀ, so B·A is never computed. */
export function rowFactors(g: Graph, A: Value, B: Value, etaSquared: number): Value {
  const inner = g.matMul(B, g.matMulT(A, A))
  const squares = g.reduceSum(g.mul(inner, B), [1], { keepDims: false })
  // Rounding can make the square of a zero row slightly negative.
  const norms = g.sqrt(g.where(g.greaterOrEqual(squares, g.scalar(0)), squares, g.scalar(0)))
  return g.constantOf(g.div(g.scalar(1), g.sqrt(g.add(norms, g.scalar(1 / etaSquared)))))
}

/**
 * Y = x·Wᵀ + (x·Aᵀ)·Bᵀ with x `[rows, in]`, W `[out, in]`, A `[r, in]`, B `[out, r]`, c `[out]`: with dZ = c ⊙ dY,
 * dB = dZᵀ·h, dA = (dZ·B)ᵀ·x, but dx = dY·W + (dY·B)·A and dW = dYᵀ·x.
 */
const RowScaledLowRank: Op = {
  name: 'RowScaledLowRank',
  infer: ([x, W, A]) => ({
    outputs: [{ dtype: x!.dtype, shape: [x!.shape[0]!, W!.shape[0]!] }],
    keep: { h: { dtype: x!.dtype, shape: [x!.shape[0]!, A!.shape[0]!] } },
  }),
  emit: ({ e, inputs: [x, W, A, B] }) => {
    const base = product(e, x!, W!, [2, 2], { b: true })
    const h = product(e, x!, A!, [2, 2], { b: true })
    const update = product(e, h, B!, [2, 2], { b: true })
    return { outputs: e.node('Add', [base, update]), keep: { h } }
  },
  vjp: ({ g, inputs: [x, W, A, B, c], kept: { h }, dY }) => {
    const dZ = g.mul(dY, c!)
    return [
      g.matMulAdd(g.scaledMatMul(dY, B!, 1), A!, g.matMul(dY, W!)),
      g.tMatMul(dY, x!),
      g.tMatMul(g.scaledMatMul(dZ, B!, 1), x!),
      g.scaledTMatMul(dZ, h!, 1),
      undefined,
    ]
  },
}
