/** @file The base after a round trip through a smaller storage: linear layers of the blocks; embedding, head and norms as they are. */
import { sha256 } from '../../files/digest.ts'
import type { Compression } from '../../models/weights/compression/compression.ts'
import { percent } from '../../contract/words.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import { findCompression } from '../../models/weights/compression/registry.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import type { Base } from '../base.ts'
import type { Derived } from './derived.ts'

const isCompressed = ({ kind, module, head }: WeightSpec): boolean =>
  kind === 'linear' && module !== undefined && head !== true

/** Weights, and what they take: "NF4, 4.13 bits a number of linear layers, 28.1 % of the model’s float32 size". */
export function compressedBase(base: Base, spec: string): Derived {
  const compression = findCompression(spec)
  const weights: TunedWeights = {
    change: () => undefined,
    read(name) {
      const found = base.model.weights.get(name)
      if (!found || !isCompressed(found)) return base.weights.get(name)!
      return compression.roundTrip(base.weights.get(name)!, found.shape[0]!)
    },
  }
  return {
    weights,
    digest: sha256(compression.name),
    title: `Compressed: ${compression.summary}${sizeOf(base, compression)}`,
  }
}

function sizeOf({ model }: Base, { bits }: Compression): string {
  let [small, linear, whole] = [0, 0, 0]
  for (const spec of model.weights.values()) {
    const numbers = spec.shape.reduce((product, size) => product * size, 1)
    whole += 32 * numbers
    const each = isCompressed(spec) ? bits(numbers, spec.shape[0]!) : 32
    if (each === null) return ''
    small += each * numbers
    if (isCompressed(spec)) linear += numbers
  }
  const each = (small - (whole - 32 * linear)) / linear
  return `; ${each.toFixed(2)} bits a number of its linear layers, the model ${percent(small / whole)} of its size in float32`
}
