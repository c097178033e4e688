/** @file Final weights of a fine-tune: the base with an adapter merged in, or with weights replaced. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { rankOf, scaleOf } from '../formats/peft-config.ts'
import type { PeftFolder } from '../formats/peft-folder.ts'

export interface LowRank {
  readonly B: Float32Array
  readonly A: Float32Array
  readonly rank: number
  readonly scale: number
}

export interface TunedWeights {
  /** In the base's shape, float32. */
  read(name: string): Float32Array
  /** ΔW of `name`, if an adapter gives it. */
  change(name: string): LowRank | undefined
  /** All changes by weight name, if the whole fine-tune is s·B·A on some layers. */
  readonly lowRank?: ReadonlyMap<string, LowRank>
}

type Weights = ReadonlyMap<string, Float32Array>

/**
 * W′ = W + s·B·A, summed in float64; for DoRA each row is scaled to its magnitude, m_i·W′_i/‖W′_i‖. Weights saved whole
 * replace the base's. Throws for an adapted layer that the base lacks, unless `brings` allows it.
 */
export function adaptedWeights(
  base: Weights,
  { config, tensors, saved }: PeftFolder,
  path: string,
  brings: (name: string) => boolean = () => false,
): TunedWeights {
  for (const [name, { data }] of saved ?? []) {
    const W = base.get(name)
    if (W ? W.length !== data.length : !brings(name))
      throw new TouchstoneError('adapter.other-base', { path, module: name })
  }
  const changes = new Map<string, LowRank>()
  const magnitudes = new Map<string, Float32Array>()
  for (const [key, { data: A }] of tensors) {
    if (!key.endsWith('.lora_A.weight')) continue
    const module = key.slice(0, -'.lora_A.weight'.length)
    const B = tensors.get(`${module}.lora_B.weight`)!.data
    const W = base.get(`${module}.weight`)
    const rank = rankOf(config, module)
    if (!W || (A.length / rank) * (B.length / rank) !== W.length) {
      throw new TouchstoneError('adapter.other-base', { path, module })
    }
    changes.set(`${module}.weight`, { A, B, rank, scale: scaleOf(config, module) })
    const magnitude = tensors.get(`${module}.lora_magnitude_vector`)?.data
    if (magnitude) magnitudes.set(`${module}.weight`, magnitude)
  }
  const isLowRank = magnitudes.size === 0 && (saved?.size ?? 0) === 0
  return {
    ...(isLowRank && { lowRank: changes }),
    // Scaling rows gives a change of full rank.
    change: (name) => (magnitudes.has(name) ? undefined : changes.get(name)),
    read(name) {
      const whole = saved?.get(name)
      if (whole) return whole.data
      const change = changes.get(name)
      return change ? addLowRank(base.get(name)!, change, magnitudes.get(name)) : base.get(name)!
    },
  }
}

/** The base with trained weights in place of its own. */
export const replacedWeights = (
  base: Weights,
  trained: ReadonlyMap<string, { data: Float32Array }>,
): TunedWeights => ({
  change: () => undefined,
  read: (name) => trained.get(name)?.data ?? base.get(name)!,
})

function addLowRank(
  W: Float32Array,
  { A, B, rank, scale }: LowRank,
  magnitude: Float32Array | undefined,
): Float32Array {
  const columns = A.length / rank
  const rows = B.length / rank
  const sum = new Float32Array(W.length)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    row.set(W.subarray(i * columns, (i + 1) * columns))
    for (let r = 0; r < rank; r++) {
      const b = B[i * rank + r]! * scale
      if (b === 0) continue
      for (let j = 0; j < columns; j++) row[j]! += b * A[r * columns + j]!
    }
    if (magnitude) toLength(row, magnitude[i]!)
    sum.set(row, i * columns)
  }
  return sum
}

function toLength(row: Float64Array, length: number): void {
  const norm = Math.sqrt(row.reduce((total, x) => total + x * x, 0))
  const factor = norm === 0 ? 0 : length / norm
  for (let j = 0; j < row.length; j++) row[j]! *= factor
}
