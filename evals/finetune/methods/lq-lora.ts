/**
 * @file LQ-LoRA: W ≈ Q + s·B·A with Q quantised and frozen, A and B trained from where the split leaves them (Guo et al. 2023, §3.2).
 * The split alternates, from Q = 0: L = the best approximation of W − Q of rank r, Q = dequantise(quantise(W − L)), until
 * ‖W − Q − L‖_F grows; the best iterate is kept. With Fisher weights F the norm is ‖√F ∘ ·‖_F, and L comes from the rows and
 * columns of W − Q scaled by the square roots of F's row and column means. The start differs from the base by W − Q − L.
 * See docs/methods/compressed-training.md.
 */
import { z } from 'zod'
import type { Compression } from '../../models/weights/compression/compression.ts'
import { budget } from '../../models/weights/compression/budget.ts'
import { normalFloat } from '../../models/weights/compression/normal-float.ts'
import { rankOf, scaleOf } from '../../models/formats/peft-config.ts'
import { additive, LORA_A, LORA_B, lowRankFields, peftConfigOf, targets } from './low-rank.ts'
import type { EndState, FineTuneMethod, Probe, Site } from '../method.ts'
import { adaptedGradients, requireDirections, withUpdate, type LowRankStart } from './moved-base.ts'
import { asColumns, asRows, leadingTriplets } from './singular.ts'
import { realNumber, wholeNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  bits: realNumber({ min: 2, max: 8 }, 3, {
    label: 'Bits',
    help: 'Of the frozen part: 2, 3 or 4 is NormalFloat of so many; any other number is a budget a number, which each layer gets its share of',
  }),
  alternations: wholeNumber({ min: 1, max: 100 }, 20, {
    label: 'Alternations',
    help: 'At most so many rounds of splitting a layer into its frozen and its trained part',
  }),
  fisherRows: wholeNumber({ min: 0, max: 4096 }, 0, {
    label: 'Fisher rows',
    help: 'Rows of the data whose squared gradients weigh the errors; 0 weighs all alike',
  }),
})
type Config = z.infer<typeof config>

export const lqLora: FineTuneMethod<Config> = {
  name: 'lq-lora',
  title: 'LQ-LoRA',
  paper: 'arXiv:2311.12023',
  faithfulness: 'variant',
  notes: [
    'Its start changes what the model says: it is evaluated at step 0 as well, where refusal may already have fallen.',
    'The authors’ code returns the last iterate, which is worse than the one before; here the best is kept. Singular vectors are exact, not sketched; a budget is allocated by a Lagrangian and greedy fill, not by an integer program.',
    'The frozen part is computed with in float32, so training saves no memory; it is exported as whole weights, since no adapter on the original base is equal to it.',
  ],
  config,
  mergeable: true,
  identityAtStart: false,

  hooks(config) {
    const peft = peftConfigOf(config)
    const { attach } = additive(peft)
    return {
      attach,
      async prepare(probe) {
        const { sites, fisher } = await weighted(probe, config)
        for (const site of sites) requireDirections(site, rankOf(peft, site.name))
        const storage = storageOf(sites, probe, config, fisher)
        const parameters = new Map<string, Float32Array>()
        const weights = new Map<string, Float32Array>()
        for (const site of sites) {
          const name = `${site.name}.weight`
          const [rank, scale] = [rankOf(peft, site.name), scaleOf(peft, site.name)]
          const own = { rank, scale, alternations: config.alternations, fisher: fisher?.get(name) }
          const { Q, A, B } = splitWeight(probe.weight(name), site, storage(name), own)
          parameters.set(`${site.name}.${LORA_A}`, A).set(`${site.name}.${LORA_B}`, B)
          weights.set(name, Q)
        }
        return { parameters, weights }
      },
      toWeights: ({ parameters, prepared }: EndState) =>
        new Map(
          [...(prepared.weights ?? [])].map(([name, Q]) => {
            const layer = name.slice(0, -'.weight'.length)
            const [A, B] = [LORA_A, LORA_B].map((part) => parameters.get(`${layer}.${part}`)!.data)
            return [name, withUpdate(Q, { A: A!, B: B! }, scaleOf(peft, layer))]
          }),
        ),
    }
  },
}

/** The adapted layers, and the mean squared gradient of each row by name where it is asked for. */
async function weighted(probe: Probe, config: Config) {
  const peft = peftConfigOf(config)
  if (config.fisherRows === 0)
    return { sites: probe.sites.filter(({ name }) => targets(peft, name)), fisher: undefined }
  const asked = { batches: config.fisherRows, batchSize: 1, squared: true }
  const { adapted, gradients } = await adaptedGradients(probe, peft, 1, asked)
  return { sites: adapted, fisher: gradients }
}

/** How each layer is quantised. */
function storageOf(
  sites: readonly Site[],
  probe: Probe,
  { bits }: Config,
  fisher: ReadonlyMap<string, Float32Array> | undefined,
): (name: string) => Compression {
  if (bits === 2 || bits === 3 || bits === 4) return () => normalFloat(bits)
  const matrices = sites.map((site) => {
    const name = `${site.name}.weight`
    const own = fisher?.get(name)
    const count = site.inFeatures * site.outFeatures
    return { name, count, read: () => probe.weight(name), ...(own && { fisher: own }) }
  })
  const all = budget(bits).allocate(matrices)
  return (name) => all.get(name)!
}

interface Splitting {
  readonly rank: number
  readonly scale: number
  readonly alternations: number
  /** Mean squared gradient of each number, `[out, in]`. */
  readonly fisher?: Float32Array | undefined
}

interface Split extends LowRankStart {
  readonly Q: Float32Array
  /** ‖√F ∘ (W − Q − s·B·A)‖_F. */
  readonly error: number
}

/** The best of the alternations: Q `[out, in]` as dequantised, A `[r, in]` and B `[out, r]`. */
export function splitWeight(
  W: Float32Array,
  site: Pick<Site, 'name' | 'inFeatures' | 'outFeatures'>,
  storage: Pick<Compression, 'roundTrip'>,
  { rank, scale, alternations, fisher }: Splitting,
): Split {
  const sides = fisher && sidesOf(fisher, site)
  let Q: Float32Array = new Float32Array(W.length)
  let best: Split | undefined
  for (let i = 0; i < alternations; i++) {
    const low = nearest(
      W.map((w, j) => w - Q[j]!),
      site,
      { rank, scale, sides },
    )
    Q = storage.roundTrip(withUpdate(W, low, -scale), site.outFeatures)
    const error = distance(W, withUpdate(Q, low, scale), fisher)
    if (best && error >= best.error) break
    best = { Q, ...low, error }
  }
  return best!
}

/** Square roots of the row means and column means of F, at least 1e-10 of their largest. */
function sidesOf(
  fisher: Float32Array,
  { inFeatures, outFeatures }: Pick<Site, 'inFeatures' | 'outFeatures'>,
) {
  const rows = new Float64Array(outFeatures)
  const columns = new Float64Array(inFeatures)
  fisher.forEach((f, i) => {
    rows[Math.floor(i / inFeatures)]! += f / inFeatures
    columns[i % inFeatures]! += f / outFeatures
  })
  return [rows, columns].map((means) => {
    const floor = 1e-10 * means.reduce((a, b) => Math.max(a, b), 0)
    // Without any gradient all numbers weigh alike.
    return means.map((mean) => (floor === 0 ? 1 : Math.sqrt(Math.max(mean, floor))))
  })
}

/** L = s·B·A nearest to D in rank `rank`, B = U√S and A = √S·Vᵀ up to s. */
function nearest(
  D: Float32Array,
  { name, inFeatures, outFeatures }: Pick<Site, 'name' | 'inFeatures' | 'outFeatures'>,
  {
    rank,
    scale,
    sides,
  }: Pick<Splitting, 'rank' | 'scale'> & { sides?: Float64Array[] | undefined },
): LowRankStart {
  const [rows, columns] = sides ?? []
  const turned = sides
    ? D.map((d, i) => d * rows![Math.floor(i / inFeatures)]! * columns![i % inFeatures]!)
    : D
  const { left, values, right } = leadingTriplets(turned, outFeatures, inFeatures, rank, name)
  const half = Array.from(values, (value) => Math.sqrt(Math.max(0, value) / scale))
  left.forEach(
    (u, i) => (left[i] = (u * half[Math.floor(i / outFeatures)]!) / (rows?.[i % outFeatures] ?? 1)),
  )
  right.forEach(
    (v, i) =>
      (right[i] = (v * half[Math.floor(i / inFeatures)]!) / (columns?.[i % inFeatures] ?? 1)),
  )
  return { A: asRows(right), B: asColumns(left, rank) }
}

function distance(W: Float32Array, found: Float32Array, fisher: Float32Array | undefined): number {
  let sum = 0
  for (let i = 0; i < W.length; i++) sum += (fisher?.[i] ?? 1) * (W[i]! - found[i]!) ** 2
  return Math.sqrt(sum)
}
