/** @file What a candidate that is not a folder of its own is made of; a new kind is a line here. */
import type { Base } from '../base.ts'
import { compressedBase } from './compressed.ts'
import { generatedAdapter } from './generated.ts'
import type { Derived } from './made.ts'
import { mergedPoint } from './merged.ts'

type Make = (base: Base, rest: string) => Derived | Promise<Derived>

const MAKERS: Readonly<Record<string, Make>> = {
  compress: compressedBase,
  merge: mergedPoint,
  generate: generatedAdapter,
}

/** Undefined where `candidate` is a path. */
export function derivedFrom(candidate: string): ((base: Base) => Promise<Derived>) | undefined {
  const colon = candidate.indexOf(':')
  const kind = candidate.slice(0, Math.max(0, colon))
  if (!Object.hasOwn(MAKERS, kind)) return undefined
  return async (base) => MAKERS[kind]!(base, candidate.slice(colon + 1))
}
