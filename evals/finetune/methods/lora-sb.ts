/**
 * @file LoRA-SB: W′ = W + B·R·A with B `[out, r]` and A `[r, in]` orthonormal and fixed, R `[r, r]` trained
 * (Ponkshe et al. 2024, §3, and the authors' code). The start approximates the first step of full fine-tuning:
 * ΔW = −η·sign(ΣG) = U·S·Vᵀ, B = U_r, A = V_rᵀ, R = diag(S_r). The base does not change, so the start differs from the base.
 * See docs/methods/ba-lora-lora-sb.md.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { LORA_A, LORA_B, lowRankFields, peftConfigOf, targets } from './low-rank.ts'
import type { FineTuneMethod, LinearSite, Site } from '../method.ts'
import { adaptedGradients } from './moved-base.ts'
import { asColumns, asRows, leadingTriplets } from './singular.ts'
import type { PeftConfig } from '../../models/formats/peft-config.ts'
import type { PeftTensor } from '../../models/formats/peft-folder.ts'
import { realNumber, wholeNumber } from '../settings.ts'

const config = z.object({
  rank: lowRankFields.rank.unwrap().default(32).meta(lowRankFields.rank.meta()!),
  targetModules: lowRankFields.targetModules,
  startRate: realNumber({ min: 0, max: 1 }, 2e-4, {
    label: 'Start rate',
    help: 'Learning rate η of the full step that the start stands for',
  }),
  startBatches: wholeNumber({ min: 1, max: 1024 }, 16, {
    label: 'Start batches',
    help: 'How many batches the first gradient sums',
  }),
  startBatchSize: wholeNumber({ min: 1, max: 1024 }, 4, {
    label: 'Start batch size',
    help: 'Rows in each of these batches',
  }),
})
type Config = z.infer<typeof config>

const LORA_R = 'lora_R.weight'

/** s = 1 in every layer. */
const peftOf = ({ rank, targetModules }: Config): PeftConfig =>
  peftConfigOf({ rank, alpha: rank, targetModules, rankPattern: [], alphaPattern: [] })

export const loraSb: FineTuneMethod<Config> = {
  name: 'lora-sb',
  title: 'LoRA-SB',
  paper: 'arXiv:2411.19557',
  faithfulness: 'exact',
  notes: [
    'Its start changes what the model says: it is evaluated at step 0 as well, where refusal may already have fallen.',
    'The paper begins with R = S/s, the code with R = S; here s = 1 and the two agree.',
  ],
  config,
  mergeable: true,
  identityAtStart: false,

  hooks(config) {
    const peft = peftOf(config)
    return {
      attach(g, site) {
        if (!targets(peft, site.name)) return undefined
        const { A, B, R } = tensors(g, site, config)
        const { weight: W } = site
        return {
          forward: (x) => g.lowRankLinear(x, W, g.matMul(R, A), B, 1),
          weight: () => g.add(W, g.matMul(B, g.matMul(R, A))),
        }
      },
      async prepare(probe) {
        const { startBatches: batches, startBatchSize: batchSize } = config
        const asked = { batches, batchSize }
        const { adapted, gradients } = await adaptedGradients(probe, peft, 1, asked)
        const starts = adapted.flatMap((site) => {
          const { A, B, R } = signedStart(gradients.get(`${site.name}.weight`)!, site, config)
          const parts = [[LORA_A, A] as const, [LORA_B, B] as const, [LORA_R, R] as const]
          return parts.map(([part, data]) => [`${site.name}.${part}`, data] as const)
        })
        return { parameters: new Map(starts) }
      },
      toPeft: (parameters, base) => ({ config: { ...peft, base }, tensors: asPair(parameters) }),
    }
  },
}

/** A as it is, and B·R in place of B and R. */
const asPair = (parameters: ReadonlyMap<string, PeftTensor>): Map<string, PeftTensor> =>
  new Map(
    [...parameters].flatMap(([name, tensor]): [string, PeftTensor][] => {
      if (name.endsWith(LORA_A)) return [[name, tensor]]
      if (!name.endsWith(LORA_B)) return []
      const R = parameters.get(`${name.slice(0, -LORA_B.length)}${LORA_R}`)!
      return [[name, timesSquare(tensor, R)]]
    }),
  )

/** A and B are stored with R and never trained; their initialiser is random, and `prepare` replaces it. */
function tensors(g: Graph, { name, inFeatures, outFeatures }: LinearSite, { rank }: Config) {
  const fixed = (part: string, shape: readonly number[], width: number) =>
    g.constantOf(
      g.parameter(`${name}.${part}`, shape, {
        initialiser: { normal: 1 / Math.sqrt(width) },
        learningRateScale: 0,
      }),
    )
  return {
    A: fixed(LORA_A, [rank, inFeatures], inFeatures),
    B: fixed(LORA_B, [outFeatures, rank], outFeatures),
    R: g.parameter(`${name}.${LORA_R}`, [rank, rank], { initialiser: 'zeros' }),
  }
}

/** A, B and R = diag(S) of one layer from its gradient G `[out, in]`. */
export function signedStart(
  G: Float32Array,
  { name, outFeatures, inFeatures }: Site,
  { rank, startRate }: Config,
) {
  const step = G.map((d) => -startRate * Math.sign(d))
  const { left, values, right } = leadingTriplets(step, outFeatures, inFeatures, rank, name)
  const R = new Float32Array(rank * rank)
  values.forEach((value, j) => (R[j * rank + j] = value))
  return { A: asRows(right), B: asColumns(left, rank), R }
}

/** B·R `[out, r]`, summed in float64. */
function timesSquare({ shape, data }: PeftTensor, R: PeftTensor): PeftTensor {
  const [rows, rank] = shape as [number, number]
  const out = new Float32Array(data.length)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rank; j++) {
      let sum = 0
      for (let t = 0; t < rank; t++) sum += data[i * rank + t]! * R.data[t * rank + j]!
      out[i * rank + j] = sum
    }
  }
  return { shape, data: out }
}
