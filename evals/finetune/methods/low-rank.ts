/**
 * @file Shared by the LoRA family: W′ = W + s·B·A with A `[r, in]` and B `[out, r]`, s = α/r or α/√r. Layers, r and α follow
 * PEFT's rules: a target is a module's name or its end, a pattern gives a module its own rank or alpha.
 */
import { z } from 'zod'
import type { Initialiser } from '../../graph/builder.ts'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import {
  ALL_LINEAR,
  namesModule,
  rankOf,
  scaleOf,
  type PeftConfig,
} from '../../models/formats/peft-config.ts'
import type { PeftFolder, PeftTensor } from '../../models/formats/peft-folder.ts'
import type { Adapter, LinearSite } from '../../models/scope.ts'
import { realNumber, wholeNumber } from '../settings.ts'

const MAX_RANK = 1024

const pattern = (value: RegExp, example: string) =>
  z
    .array(z.string().regex(value, `written as ${example}`))
    .default([])
    .refine((entries) => new Set(entries.map(nameIn)).size === entries.length, 'a module twice')

/** Settings of every method of the family; a method adds its own. */
export const lowRankFields = {
  rank: wholeNumber({ min: 1, max: MAX_RANK }, 8, { label: 'Rank', help: 'Width of the update' }),
  alpha: realNumber({ above: 0 }, 16, {
    label: 'Alpha',
    help: 'Scales the update by alpha / rank',
  }),
  targetModules: z
    .array(z.string())
    .min(1)
    .default([ALL_LINEAR])
    .meta({ label: 'Target modules', help: 'Linear layers to adapt, by name; all-linear for all' }),
  rankPattern: pattern(/^\^?[\w.-]+=(?:[1-9]\d{0,2}|10[01]\d|102[0-4])$/, 'down_proj=4').meta({
    label: 'Rank pattern',
    help: 'Modules with a rank of their own, as down_proj=4',
  }),
  alphaPattern: pattern(/^\^?[\w.-]+=(?!0+(?:\.0+)?$)\d{1,6}(?:\.\d+)?$/, 'down_proj=8').meta({
    label: 'Alpha pattern',
    help: 'Modules with an alpha of their own, as down_proj=8',
  }),
}

type LowRankConfig = z.infer<z.ZodObject<typeof lowRankFields>>

export const LORA_A = 'lora_A.weight'
export const LORA_B = 'lora_B.weight'
export const MAGNITUDE = 'lora_magnitude_vector'

const nameIn = (entry: string): string => entry.slice(0, entry.indexOf('='))
const patternOf = (entries: readonly string[]): Record<string, number> =>
  Object.fromEntries(entries.map((entry) => [nameIn(entry), Number(entry.split('=')[1])]))

/** The configuration in PEFT's form; `own` holds additions of a method (`useRslora`, `useDora`). */
export const peftConfigOf = (
  { rank, alpha, targetModules, rankPattern, alphaPattern }: LowRankConfig,
  own: Partial<PeftConfig> = {},
): PeftConfig => ({
  base: '',
  rank,
  alpha,
  targetModules: [...targetModules].sort(),
  rankPattern: patternOf(rankPattern),
  alphaPattern: patternOf(alphaPattern),
  ...own,
})

/** Whether `config` adapts the layer. */
export const targets = (config: PeftConfig, layer: string): boolean =>
  config.targetModules.some((target) => target === ALL_LINEAR || namesModule(target, layer))

/** The update of one layer: A `[rank, in]`, B `[out, rank]`. */
interface LowRankPair {
  readonly A: Value
  readonly B: Value
  readonly scale: number
}

interface PairOptions {
  /** By default uniform in ±1/√in (Kaiming with a = √5). */
  readonly initialA?: Initialiser
  readonly initialB?: Initialiser
  readonly rateOfA?: number
  readonly rateOfB?: number
}

/** Declares A and B of a layer if `config` targets it, else returns `undefined`. */
export function lowRankPair(
  g: Graph,
  { name, inFeatures, outFeatures }: LinearSite,
  config: PeftConfig,
  { initialA, initialB = 'zeros', rateOfA = 1, rateOfB = 1 }: PairOptions = {},
): LowRankPair | undefined {
  if (!targets(config, name)) return undefined
  const rank = rankOf(config, name)
  const A = g.parameter(`${name}.${LORA_A}`, [rank, inFeatures], {
    initialiser: initialA ?? { uniform: 1 / Math.sqrt(inFeatures) },
    learningRateScale: rateOfA,
  })
  const B = g.parameter(`${name}.${LORA_B}`, [outFeatures, rank], {
    initialiser: initialB,
    learningRateScale: rateOfB,
  })
  return { A, B, scale: scaleOf(config, name) }
}

/** W + s·B·A `[out, in]`. */
export const mergedWeight = (g: Graph, W: Value, { A, B, scale }: LowRankPair): Value =>
  g.add(W, g.mul(g.matMul(B, A), g.scalar(scale)))

/** Parameters that PEFT stores under the same names. */
export const asPeftFolder = (
  tensors: ReadonlyMap<string, PeftTensor>,
  config: PeftConfig,
  base: string,
): PeftFolder => ({ config: { ...config, base }, tensors })

/** LoRA's adapter, y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ, and its export: shared by methods that change its size, start or rates. */
export const additive = (peft: PeftConfig, options?: PairOptions) => ({
  attach: (g: Graph, site: LinearSite): Adapter | undefined => {
    const { weight: W } = site
    const pair = lowRankPair(g, site, peft, options)
    return (
      pair && {
        forward: (x) => g.lowRankLinear(x, W, pair.A, pair.B, pair.scale),
        weight: () => mergedWeight(g, W, pair),
      }
    )
  },
  toPeft: (tensors: ReadonlyMap<string, PeftTensor>, base: string): PeftFolder =>
    asPeftFolder(tensors, peft, base),
})
