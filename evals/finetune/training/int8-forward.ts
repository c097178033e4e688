/**
 * @file `--forward int8`: in training, linear layers of the blocks multiply in int8 (`graph/ops/int8-product.ts`). Losses are
 * then approximate, and gradients use the derivative of the exact layer. Embedding, head, norms, attention and trained
 * parameters stay in float32, and so do evaluation and export. See docs/methods/training.md.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { isBlockName } from '../../graph/storage/blocks.ts'
import type { WeightStorage } from '../../graph/storage/stored.ts'
import type { Model } from '../../models/registry.ts'
import { fedStorage, smallOf, type Precision } from '../../models/weights/small-weights.ts'
import type { Device } from '../../runtime/device.ts'
import { sumsExactly } from '../../runtime/int8-sums.ts'

export const FORWARDS = ['exact', 'int8'] as const
export type Forward = (typeof FORWARDS)[number]

type Weights = ReadonlyMap<string, Float32Array>

interface ForwardOptions {
  readonly model: Model
  readonly weights: Weights
  readonly forward?: Forward | undefined
}

/** Storage of each frozen weight in a training graph. A router's choice of experts stays exact. */
export function storageFor({ model, weights, forward }: ForwardOptions) {
  const kept = fedStorage(weights)
  if (forward !== 'int8') return kept
  const isInBlock = (name: string) => model.weights.get(name)?.module !== undefined
  return (name: string): WeightStorage | undefined =>
    kept(name) === 'int8' && isInBlock(name) ? 'product:int8' : kept(name)
}

export function precisionOf(weights: Weights): Precision {
  const all = [...(smallOf(weights)?.values() ?? [])]
  if (all.some((own) => 'isRounded' in own && own.isRounded)) return 'blocks-int8'
  const kept = new Set(all.map(({ storage }) => storage))
  if ([...kept].some(isBlockName)) return 'blocks'
  if (kept.has('nf4')) return 'nf4'
  if (kept.has('int8')) return 'int8'
  return kept.has('float16') ? 'fp16' : 'fp32'
}

export interface ForwardModel {
  readonly model: Pick<Model, 'graph'>
  readonly device: Pick<Device, 'name'>
}

interface ForwardRequest extends ForwardModel {
  readonly precision: Precision
  /** Whether the kernel sums exactly on this processor. */
  readonly sums?: () => Promise<boolean>
}

const WITHOUT = 'leave --forward int8 out'

/** Throws `training.approximate-forward` if int8 products are not available here. */
export async function requireInt8Forward({
  model,
  device,
  precision,
  sums = sumsExactly,
}: ForwardRequest): Promise<void> {
  const refuse = (why: string, remedy: string) =>
    new TouchstoneError('training.approximate-forward', { why, remedy })
  if (model.graph)
    throw refuse('an exported graph multiplies as it was written', `Leave --forward int8 out.`)
  if (precision !== 'int8')
    throw refuse(`the base is kept in ${precision}`, `Add --base-precision int8, or ${WITHOUT}.`)
  if (device.name !== 'cpu')
    throw refuse(
      `${device.name} has no kernels for it that were tested`,
      `Use --device cpu, or ${WITHOUT}.`,
    )
  if (!(await sums()))
    throw refuse(
      'without VNNI this processor cuts sums of int8 off at 16 bits, so numbers would be wrong',
      'Leave --forward int8 out; touchstone doctor says which machines can.',
    )
}
