/**
 * @file LoRA-GA: LoRA with a start from which the first step approximates that of full fine-tuning (Wang et al. 2024, §3, and
 * the authors' code): G = UΣVᵀ the mean gradient of the base on a few batches, A₀ = k·V[:, :r]ᵀ, B₀ = k·U[:, r:2r],
 * k = out^¼/√γ, and the base becomes W − s·B₀·A₀. One step of SGD then changes W by −η·s²·k²·Σ_{i≤2r} σ_i·u_i·v_iᵀ.
 * See docs/methods/initialisation.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod, Probe, Site } from '../method.ts'
import { adaptedGradients, movedStart, onOriginalBase, type LowRankStart } from './moved-base.ts'
import { asColumns, asRows, leadingTriplets, pickedRows } from './singular.ts'
import { rankOf, scaleOf } from '../../models/formats/peft-config.ts'
import { leadingLeft } from '../../spectra/decomposition/partial-svd.ts'
import { randomStream } from '../../statistics/random.ts'
import { realNumber, wholeNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  direction: z.enum(['ArB2r', 'A2rBr', 'ArBr', 'random']).default('ArB2r').meta({
    label: 'Directions',
    help: 'Which of the first 2r singular vectors begin A and B: one half each, every other, or drawn',
  }),
  scale: z.enum(['stable', 'gd', 'unit', 'weightS']).default('stable').meta({
    label: 'Size',
    help: 'How large A and B begin: out^¼/√γ, 1/s, 1, or the mean √(σ/s) of the weight’s first r',
  }),
  gamma: realNumber({ above: 0, max: 1e6 }, 16, {
    label: 'γ',
    help: 'The larger, the smaller a stable start is',
  }),
  gradientBatches: wholeNumber({ min: 1, max: 1024 }, 8, {
    label: 'Gradient batches',
    help: 'How many batches the first gradient averages',
  }),
  gradientBatchSize: wholeNumber({ min: 1, max: 1024 }, 1, {
    label: 'Gradient batch size',
    help: 'Rows in each of these batches',
  }),
})
type Config = z.infer<typeof config>

export const loraGa: FineTuneMethod<Config> = {
  name: 'lora-ga',
  title: 'LoRA-GA',
  paper: 'arXiv:2407.05000',
  faithfulness: 'exact',
  notes: [
    'PEFT’s form multiplies B by the singular values and breaks the rank-2r identity; this follows the authors’ code. Singular vectors are exact, not sketched.',
    'As in the authors’ code, direction ArBr gives A every second vector and B those between.',
    'The base is moved at the start; an exported adapter has rank 2r and is right on the original base.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,

  hooks(config) {
    const peft = peftConfigOf(config)
    return {
      attach: additive(peft).attach,
      async prepare(probe) {
        const { gradientBatches: batches, gradientBatchSize: batchSize } = config
        const { gradients } = await adaptedGradients(probe, peft, 2, { batches, batchSize })
        return movedStart(probe, peft, (site) => {
          const G = gradients.get(`${site.name}.weight`)
          return G && gradientStart(G, site, config, probe)
        })
      },
      toPeft: (parameters, base, prepared) => onOriginalBase(parameters, peft, base, prepared),
    }
  },
}

/** A₀ and B₀ of one layer from its gradient G `[out, in]`. */
export function gradientStart(
  G: Float32Array,
  site: Site,
  config: Config,
  probe: Pick<Probe, 'seed' | 'weight'>,
): LowRankStart {
  const { name, outFeatures, inFeatures } = site
  const r = rankOf(peftConfigOf(config), name)
  const { left, right } = leadingTriplets(G, outFeatures, inFeatures, 2 * r, name)
  const k = sizeOf(site, r, config, probe)
  const { ofA, ofB } = chosen(site, r, config, probe)
  return {
    A: asRows(pickedRows(right, inFeatures, ofA), k),
    B: asColumns(pickedRows(left, outFeatures, ofB), r, k),
  }
}

/** Indices among the first 2r singular vectors from which A and B start. */
function chosen(
  { name }: Site,
  r: number,
  { direction }: Config,
  { seed }: Pick<Probe, 'seed'>,
): { ofA: readonly number[]; ofB: readonly number[] } {
  const all = Array.from({ length: 2 * r }, (_, i) => i)
  if (direction === 'ArBr') {
    return { ofA: all.filter((i) => i % 2 === 1), ofB: all.filter((i) => i % 2 === 0) }
  }
  const order = direction === 'random' ? randomStream(seed, `lora-ga:${name}`).shuffle(all) : all
  const [first, second] = [order.slice(0, r), order.slice(r)]
  return direction === 'A2rBr' ? { ofA: second, ofB: first } : { ofA: first, ofB: second }
}

/** The factor k of A₀ and B₀. */
function sizeOf(
  { name, outFeatures, inFeatures }: Site,
  r: number,
  config: Config,
  { weight }: Pick<Probe, 'weight'>,
): number {
  const s = scaleOf(peftConfigOf(config), name)
  switch (config.scale) {
    case 'stable':
      return outFeatures ** 0.25 / Math.sqrt(config.gamma)
    case 'gd':
      return 1 / s
    case 'unit':
      return 1
    case 'weightS': {
      const W = { rows: outFeatures, columns: inFeatures, data: weight(`${name}.weight`) }
      const { singularValues } = leadingLeft(W, r, name)
      // σ = 0 beyond the rank of W.
      return singularValues.reduce((sum, σ) => sum + Math.sqrt(σ / s), 0) / r
    }
  }
}
