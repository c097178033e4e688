/** @file What a candidate that is not a folder of its own is made of; a new kind is a line here. */
import type { Model } from '../../models/registry.ts'
import type { Base } from '../base.ts'
import { checkCompression, compressedBase } from './compressed.ts'
import { checkGenerated, generatedAdapter } from './generated.ts'
import type { Derived } from './made.ts'
import { checkPoint, mergedPoint } from './merged.ts'

interface Kind {
  readonly make: (base: Base, rest: string) => Derived | Promise<Derived>
  /** Throws what can be known to be wrong without the base's weights. */
  readonly check: (model: Model, rest: string) => void | Promise<void>
}

const KINDS: Readonly<Record<string, Kind>> = {
  compress: { make: compressedBase, check: checkCompression },
  merge: { make: mergedPoint, check: checkPoint },
  generate: { make: generatedAdapter, check: checkGenerated },
}

/** Undefined where `candidate` is a path. */
export function derivedFrom(candidate: string) {
  const colon = candidate.indexOf(':')
  const kind = candidate.slice(0, Math.max(0, colon))
  if (!Object.hasOwn(KINDS, kind)) return undefined
  const [{ make, check }, rest] = [KINDS[kind]!, candidate.slice(colon + 1)]
  return {
    make: async (base: Base) => make(base, rest),
    check: async (model: Model) => check(model, rest),
  }
}
