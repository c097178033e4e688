/** @file The base after a round trip through a smaller storage: linear layers of the blocks; embedding, head and norms as they are. */
import { sha256 } from '../../files/digest.ts'
import type { Allocation, Compression } from '../../models/weights/compression/compression.ts'
import { counted, percent } from '../../contract/words.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import { findCompression } from '../../models/weights/compression/registry.ts'
import { elementsOf } from '../../models/weights/stored-weights.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import type { Model } from '../../models/registry.ts'
import type { Base } from '../base.ts'
import type { Derived } from './made.ts'

const isCompressed = ({ kind, module, head }: WeightSpec): boolean =>
  kind === 'linear' && module !== undefined && head !== true

/** Weights, and what they take: "NF4, 4.13 bits a number of linear layers, 28.1 % of the model’s float32 size". */
export function compressedBase(base: Base, spec: string): Derived {
  const compression = findCompression(spec)
  const each = compressionOf(base, compression)
  const weights: TunedWeights = {
    change: () => undefined,
    read(name) {
      const found = base.model.weights.get(name)
      if (!found || !isCompressed(found)) return base.weights.get(name)!
      return each(name).roundTrip(base.weights.get(name)!, found.shape[0]!)
    },
  }
  return {
    weights,
    digest: sha256(compression.name),
    title: `Compressed: ${compression.summary}${sizeOf(base, each)}`,
  }
}

export function checkCompression({ weights }: Pick<Model, 'weights'>, spec: string): void {
  const found = findCompression(spec)
  if (!('allocate' in found)) return
  const matrices = [...weights.values()].filter(isCompressed)
  found.requireRoom(matrices.reduce((sum, { shape }) => sum + elementsOf(shape), 0))
}

type Each = (name: string) => Compression

/** The compression of each matrix. */
function compressionOf({ model, weights }: Base, found: Compression | Allocation): Each {
  if (!('allocate' in found)) return () => found
  const matrices = [...model.weights.values()].filter(isCompressed).map(({ name, shape }) => ({
    name,
    count: elementsOf(shape),
    read: () => weights.get(name)!,
  }))
  const all = found.allocate(matrices)
  return (name) => all.get(name)!
}

function sizeOf({ model }: Base, compression: Each): string {
  let [small, linear, whole] = [0, 0, 0]
  const kinds = new Map<string, number>()
  for (const spec of model.weights.values()) {
    const numbers = elementsOf(spec.shape)
    whole += 32 * numbers
    const own = isCompressed(spec) ? compression(spec.name) : undefined
    const each = own ? own.bits(numbers, spec.shape[0]!) : 32
    if (each === null) return ''
    small += each * numbers
    if (!own) continue
    linear += numbers
    kinds.set(own.name, (kinds.get(own.name) ?? 0) + 1)
  }
  const each = (small - (whole - 32 * linear)) / linear
  const mixed = [...kinds]
    .sort()
    .map(([name, count]) => `${counted(count, 'matrix', 'matrices')} ${name}`)
  return `; ${each.toFixed(2)} bits a number of its linear layers${kinds.size > 1 ? ` (${mixed.join(', ')})` : ''}, the model ${percent(small / whole)} of its size in float32`
}
