/**
 * @file LoRA-GA: LoRA that begins where its first step moves W as full fine-tuning would (Wang et al. 2024, §3, and the
 * authors' code): G = UΣVᵀ the mean gradient of the base on a few batches, A₀ = k·V[:, :r]ᵀ, B₀ = k·U[:, r:2r],
 * k = out^¼/√γ, and the base moved to W − s·B₀·A₀. One step of SGD then moves W by −η·s²·k²·Σ_{i≤2r} σ_i·u_i·v_iᵀ.
 */
import { z } from 'zod'
import { TouchstoneError } from '../errors.ts'
import { additiveAdapter, lowRankFields, lowRankPair, peftConfigOf, targets } from './low-rank.ts'
import type { FineTuneMethod, Site } from './method.ts'
import { movedStart, onOriginalBase, type LowRankStart } from './moved-base.ts'
import { asColumns, asRows, leadingTriplets, type Triplets } from './singular.ts'
import { rankOf, scaleOf, type PeftConfig } from '../models/peft-config.ts'

const config = z.object({
  ...lowRankFields,
  direction: z.enum(['ArB2r', 'A2rBr', 'ArBr']).default('ArB2r').meta({
    label: 'Directions',
    help: 'Which singular vectors begin A and B: the first r, or the r after them',
  }),
  scale: z
    .enum(['stable', 'gd', 'unit'])
    .default('stable')
    .meta({ label: 'Size', help: 'How large A and B begin: out^¼/√γ, 1/s, or 1' }),
  gamma: z
    .number()
    .positive()
    .max(1e6)
    .default(16)
    .meta({ label: 'γ', help: 'The larger, the smaller a stable start is' }),
  gradientBatches: z
    .int()
    .min(1)
    .max(1024)
    .default(8)
    .meta({ label: 'Gradient batches', help: 'How many batches the first gradient averages' }),
  gradientBatchSize: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .meta({ label: 'Gradient batch size', help: 'Rows in each of these batches' }),
})
type Config = z.infer<typeof config>

const peft = (config: Config): PeftConfig => peftConfigOf(config)

export const loraGa: FineTuneMethod<Config> = {
  name: 'lora-ga',
  title: 'LoRA-GA',
  paper: 'arXiv:2407.05000',
  faithfulness: 'exact',
  notes: [
    'PEFT’s form multiplies B by the singular values and breaks the rank-2r identity; this follows the authors’ code. Singular vectors are exact, not sketched.',
    'The base is moved at the start; an exported adapter has rank 2r and is right on the original base.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,

  attach: (g, site, config) => additiveAdapter(g, site, lowRankPair(g, site, peft(config))),

  async prepare(probe, config) {
    const adapted = probe.sites.filter(({ name }) => targets(peft(config), name))
    adapted.forEach((site) => requireRoom(site, 2 * rankOf(peft(config), site.name)))
    const names = adapted.map(({ name }) => `${name}.weight`)
    const { gradientBatches: batches, gradientBatchSize: batchSize } = config
    const gradients = await probe.gradients(names, { batches, batchSize })
    return movedStart(probe, peft(config), (site) => {
      const G = gradients.get(`${site.name}.weight`)
      return G && gradientStart(G, site, config)
    })
  },

  toPeft: (parameters, config, base, prepared) =>
    onOriginalBase(parameters, peft(config), base, prepared),
}

function requireRoom({ name, inFeatures, outFeatures }: Site, needed: number): void {
  if (needed <= Math.min(inFeatures, outFeatures)) return
  throw new TouchstoneError('usage.invalid', {
    problem: `LoRA-GA needs twice its rank in singular vectors, ${needed}, and ${name} is ${outFeatures} by ${inFeatures}.`,
    remedy: 'Lower the rank, or leave that module out of the target modules.',
  })
}

/** A₀ and B₀ of one layer from its gradient G `[out, in]`. */
export function gradientStart(
  G: Float32Array,
  { name, outFeatures, inFeatures }: Site,
  config: Config,
): LowRankStart {
  const r = rankOf(peft(config), name)
  const triplets = leadingTriplets(G, outFeatures, inFeatures, 2 * r, name)
  return begun(triplets, r, { name, outFeatures, inFeatures }, config)
}

function begun(
  { left, right }: Triplets,
  r: number,
  { name, outFeatures, inFeatures }: Pick<Site, 'name' | 'outFeatures' | 'inFeatures'>,
  config: Config,
): LowRankStart {
  const { direction, scale, gamma } = config
  const k =
    scale === 'stable'
      ? outFeatures ** 0.25 / Math.sqrt(gamma)
      : scale === 'gd'
        ? 1 / scaleOf(peft(config), name)
        : 1
  const fromA = direction === 'A2rBr' ? r : 0
  const fromB = direction === 'ArB2r' ? r : 0
  return {
    A: asRows(right, inFeatures, fromA, r, k),
    B: asColumns(left, outFeatures, fromB, r, k),
  }
}
