/**
 * @file LoRAMoE: y = x·Wᵀ + s·Σ_i w_i·(x·A_iᵀ)·B_iᵀ with w = softmax(x·W_gᵀ) for each token, all experts running, in the
 * feed-forward layers (Dou et al. 2023). Rows of kind 1 lean to the first half of the experts, rows of kind 0 to the second, by
 * the localised balance loss; without kinds it is off.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { FineTuneMethod, LossInputs, Prepared, Probe } from '../method.ts'
import { realNumber, wholeNumber } from '../settings.ts'
import { expertsFrom, mixtureOf } from './experts.ts'
import { lowRankFields, peftConfigOf, targets } from './low-rank.ts'

const config = z.object({
  experts: wholeNumber({ min: 1, max: 64 }, 4, {
    label: 'Experts',
    help: 'LoRA experts of each layer',
  }),
  rank: wholeNumber({ min: 1, max: 1024 }, 4, { label: 'Rank', help: 'Width of the update' }),
  alpha: realNumber({ above: 0 }, 32, {
    label: 'Alpha',
    help: 'Scales the update by alpha / rank',
  }),
  targetModules: z
    .array(z.string())
    .min(1)
    .default(['gate_proj', 'up_proj', 'down_proj'])
    .meta(lowRankFields.targetModules.meta()!),
  adapters: z.array(z.string().min(1)).default([]).meta({
    label: 'Adapters',
    help: 'Folders of adapters that the experts begin as, one an expert; alpha is then the rank',
    value: 'PATH',
  }),
  balance: realNumber({ min: 0 }, 0.1, {
    label: 'Balance',
    help: 'β, the weight of the localised balance loss; rows without a kind leave it off',
  }),
  lean: realNumber({ min: 0, max: 1 }, 0.1, {
    label: 'Lean',
    help: 'δ, how far a kind of row leans to its half of the experts',
  }),
  balanceForm: z.enum(['cv2', 'paper']).default('cv2').meta({
    label: 'Balance form',
    help: 'Balance as the authors’ code has it, variance over squared mean, or as the paper, variance over mean',
  }),
})
type Config = z.infer<typeof config>

/**
 * The localised balance of Z `[texts, experts]` = I∘Q: the authors' code takes var/(mean² + 1e-10) with the unbiased variance,
 * the paper var/mean with that of the population. `counts` `[texts, 1]` is 1 for a text that has a kind.
 */
export function balanceOf(g: Graph, Z: Value, counts: Value, form: Config['balanceForm']): Value {
  const total = (x: Value) => g.reduceSum(x, [0, 1], { keepDims: false })
  const experts = Z.shape[1] as number
  const n = g.mul(total(counts), g.scalar(experts))
  // Without a text of a kind every sum is 0.
  const size = g.add(
    n,
    g.sub(g.scalar(1), g.where(g.greaterOrEqual(n, g.scalar(1)), g.scalar(1), g.scalar(0))),
  )
  const mean = g.div(total(g.mul(Z, counts)), size)
  const off = g.mul(g.sub(Z, mean), counts)
  const squares = total(g.mul(off, off))
  if (form === 'paper') return g.div(squares, g.mul(size, g.add(mean, g.scalar(1e-10))))
  const free = g.where(g.greaterOrEqual(size, g.scalar(2)), g.sub(size, g.scalar(1)), g.scalar(1))
  return g.div(squares, g.mul(free, g.add(g.mul(mean, mean), g.scalar(1e-10))))
}

/** I∘Q: each expert's share summed over a lane's tokens, 1 + δ where its half is that of the token's kind and 1 − δ otherwise. */
export function leaningShares(g: Graph, shares: Value, kinds: Value, lean: number): Value {
  const [batch, seq] = kinds.shape as [number, number]
  const experts = shares.shape[1] as number
  const isKind = (kind: number) => g.equal(kinds, g.constant([kind], 'int32', []))
  const oneWhere = (test: Value) => g.where(test, g.scalar(1), g.scalar(0))
  const half = Array.from({ length: experts }, (_, i) => (2 * i < experts ? 1 : -1))
  const sign = g.constant(half, g.float, [1, 1, experts])
  const as = (x: Value) => g.reshape(x, [batch, seq, 1])
  const [first, second] = [as(oneWhere(isKind(1))), as(oneWhere(isKind(0)))]
  const leaning = g.mul(g.mul(g.sub(first, second), sign), g.scalar(lean))
  const I = g.add(g.add(first, second), leaning)
  const Q = g.mul(g.reshape(shares, [batch, seq, experts]), I)
  return g.reduceSum(Q, [1], { keepDims: false })
}

function withBalance(g: Graph, io: LossInputs, { balance, lean, balanceForm }: Config): Value {
  if (balance === 0 || io.shares.size === 0) return io.taskLoss
  const kinds = io.kinds()
  const known = g.where(
    g.greaterOrEqual(kinds, g.constant([0], 'int32', [])),
    g.scalar(1),
    g.scalar(0),
  )
  const counts = g.reduceMax(known, [1], { keepDims: true })
  const own = [...io.shares.values()].map((shares) =>
    balanceOf(g, leaningShares(g, shares, kinds, lean), counts, balanceForm),
  )
  const sum = own.reduce((a, b) => g.add(a, b))
  return g.add(io.taskLoss, g.mul(sum, g.scalar(balance / own.length)))
}

/** PEFT has no such type, and refuses the folder. */
const TYPE = 'LORAMOE'

export const loraMoe: FineTuneMethod<Config> = {
  name: 'lora-moe',
  title: 'LoRAMoE',
  paper: 'arXiv:2312.09979',
  faithfulness: 'variant',
  notes: [
    'The balance is the authors’ squared coefficient of variation or the paper’s variance over mean; their shipped script has its weight at 0, and β and δ are from memory.',
    'The balance of a step is the mean over its layers, of the lanes of a micro-batch.',
    'Rows say their kind in "category": "refuse" is one, anything else the other; if no row has one the balance is off.',
  ],
  config,
  mergeable: false,
  identityAtStart: true,
  mixture: {
    type: TYPE,
    settingsOf: ({ config: { settings } }) => settings,
  },
  hooks(settings) {
    const { adapters, rank, alpha } = settings
    const begins = adapters.length > 0
    const experts = begins ? adapters.length : settings.experts
    const peft = peftConfigOf({ ...settings, rankPattern: [], alphaPattern: [] })
    const shape = { count: experts, rank, scale: begins ? 1 : alpha / rank }
    return {
      attach(g, site) {
        if (!targets(peft, site.name)) return undefined
        const { inFeatures, name } = site
        const start = {
          A: { uniform: 1 / Math.sqrt(inFeatures) },
          B: 'zeros',
          learningRateScale: 1,
        } as const
        const router = g.parameter(`${name}.router`, [experts, inFeatures], {
          initialiser: { uniform: 1 / Math.sqrt(inFeatures) },
        })
        return mixtureOf(g, site, shape, start, (x) => g.softmax(g.matMulT(x, router)))
      },
      toMixture: (tensors, base) => ({
        config: {
          base_model_name_or_path: base,
          peft_type: TYPE,
          // The experts are in the tensors, with their scale.
          settings: { ...settings, adapters: [], experts, alpha: shape.scale * rank },
        },
        tensors,
        experts: [],
      }),
      loss: (g, io) => withBalance(g, io, settings),
      ...(begins && {
        async prepare({ sites }: Probe): Promise<Prepared> {
          const isMixed = (layer: string) => targets(peft, layer)
          return { parameters: await expertsFrom(adapters, { sites, isMixed, rank }) }
        },
      }),
    }
  },
}
