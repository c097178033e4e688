/**
 * @file Methods whose adapter starts at B₀·A₀ ≠ 0 on a changed base, W_res = W − s·B₀·A₀, so that the model starts as its base.
 * On the original base the learned change is ΔW = s·(B·A − B₀·A₀) = s·[B, −B₀]·[A; A₀]: an adapter of rank 2r with the
 * same s (Meng et al. 2024, PiSSA, §C). See docs/methods/initialisation.md.
 */
import { usageError } from '../../errors/touchstone-error.ts'
import { additive, LORA_A, LORA_B, targets } from './low-rank.ts'
import type { MethodHooks, Prepared, Probe, Site } from '../method.ts'
import { rankOf, scaleOf, type PeftConfig } from '../../models/formats/peft-config.ts'
import type { PeftFolder, PeftTensor } from '../../models/formats/peft-folder.ts'
import type { Matrix } from '../../spectra/decomposition/matrix.ts'

/** The initial adapter of one layer: A₀ `[r, in]` and B₀ `[out, r]`, row-major. */
export interface LowRankStart {
  readonly A: Float32Array
  readonly B: Float32Array
}

/** Hooks of methods whose start is a function of each weight W `[out, in]`, its rank and s. */
export const startedFrom = (
  peft: PeftConfig,
  start: (W: Matrix & { data: Float32Array }, rank: number, scale: number) => LowRankStart,
): MethodHooks => ({
  attach: additive(peft).attach,
  prepare(probe) {
    const startOf = (site: Site) => {
      const { name, inFeatures, outFeatures } = site
      if (!targets(peft, name)) return undefined
      const rank = rankOf(peft, name)
      requireDirections(site, rank)
      const W = { rows: outFeatures, columns: inFeatures, data: probe.weight(`${name}.weight`) }
      return start(W, rank, scaleOf(peft, name))
    }
    return Promise.resolve(movedStart(probe, peft, startOf))
  },
  toPeft: (tensors, base, prepared) => onOriginalBase(tensors, peft, base, prepared),
})

/** The start of every layer for which `start` returns one, and W_res of those layers. */
export function movedStart(
  probe: Probe,
  config: PeftConfig,
  start: (site: Site) => LowRankStart | undefined,
): Prepared {
  const parameters = new Map<string, Float32Array>()
  const weights = new Map<string, Float32Array>()
  for (const site of probe.sites) {
    const begun = start(site)
    if (!begun) continue
    const name = `${site.name}.weight`
    parameters.set(`${site.name}.${LORA_A}`, begun.A)
    parameters.set(`${site.name}.${LORA_B}`, begun.B)
    weights.set(name, withUpdate(probe.weight(name), begun, -scaleOf(config, site.name)))
  }
  return { parameters, weights }
}

/** The layers that `peft` adapts, and their gradients `[out, in]`; each layer has `perRank` directions for each of its rank. */
export async function adaptedGradients(
  probe: Probe,
  peft: PeftConfig,
  perRank: number,
  asked: Parameters<Probe['gradients']>[1],
) {
  const adapted = probe.sites.filter(({ name }) => targets(peft, name))
  for (const site of adapted) requireDirections(site, perRank * rankOf(peft, site.name))
  const names = adapted.map(({ name }) => `${name}.weight`)
  return { adapted, gradients: await probe.gradients(names, asked) }
}

/** A start takes that many singular vectors of the layer, which has no more than its smaller dimension. */
export function requireDirections({ name, inFeatures, outFeatures }: Site, needed: number): void {
  const most = Math.min(inFeatures, outFeatures)
  if (needed <= most) return
  throw usageError(
    `The start needs ${needed} directions of ${name}, which has ${most}.`,
    'Lower the rank, or leave that module out of the target modules.',
  )
}

/** W + s·B·A `[out, in]`, summed in float64; W is not changed. */
export function withUpdate(W: Float32Array, { A, B }: LowRankStart, scale: number): Float32Array {
  const rank = Math.round(Math.sqrt((A.length * B.length) / W.length))
  const [rows, columns] = [B.length / rank, A.length / rank]
  const out = new Float32Array(W.length)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    row.set(W.subarray(i * columns, (i + 1) * columns))
    for (let r = 0; r < rank; r++) {
      const b = scale * B[i * rank + r]!
      for (let j = 0; j < columns; j++) row[j]! += b * A[r * columns + j]!
    }
    out.set(row, i * columns)
  }
  return out
}

/** The adapter for the original base: [B, −B₀] and [A; A₀], with r and α doubled so that s keeps its value. */
export function onOriginalBase(
  tensors: ReadonlyMap<string, PeftTensor>,
  config: PeftConfig,
  base: string,
  prepared: Prepared | undefined,
): PeftFolder {
  const doubled = new Map<string, PeftTensor>()
  for (const [name, tensor] of tensors) {
    const begun = prepared?.parameters?.get(name)
    if (!begun) throw new Error(`internal: ${name} is exported without where it began`)
    doubled.set(name, name.endsWith(LORA_A) ? stacked(tensor, begun) : beside(tensor, begun))
  }
  return { config: { ...doubledConfig(config), base }, tensors: doubled }
}

/** [A; A₀] `[2r, in]`. */
function stacked({ shape: [r, width], data }: PeftTensor, begun: Float32Array): PeftTensor {
  const both = new Float32Array(2 * data.length)
  both.set(data)
  both.set(begun, data.length)
  return { shape: [2 * r!, width!], data: both }
}

/** [B, −B₀] `[out, 2r]`. */
function beside({ shape: [rows, r], data }: PeftTensor, begun: Float32Array): PeftTensor {
  const both = new Float32Array(2 * data.length)
  for (let i = 0; i < rows!; i++) {
    for (let j = 0; j < r!; j++) {
      both[i * 2 * r! + j] = data[i * r! + j]!
      both[i * 2 * r! + r! + j] = -begun[i * r! + j]!
    }
  }
  return { shape: [rows!, 2 * r!], data: both }
}

function doubledConfig(config: PeftConfig): PeftConfig {
  // α/√r keeps its value if r grows by 2 and α by √2.
  const factor = config.useRslora === true ? Math.SQRT2 : 2
  const times = (patterns: Readonly<Record<string, number>> | undefined, by: number) =>
    Object.fromEntries(Object.entries(patterns ?? {}).map(([name, value]) => [name, value * by]))
  return {
    ...config,
    rank: 2 * config.rank,
    alpha: factor * config.alpha,
    rankPattern: times(config.rankPattern, 2),
    alphaPattern: times(config.alphaPattern, factor),
  }
}
