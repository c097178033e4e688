/** @file What a candidate that is not a folder of its own is made of; a new kind is a line here. */
import type { MergedPoint } from '../../contract/rows.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import type { Base } from '../base.ts'
import { compressedBase } from './compressed.ts'
import { mergedPoint } from './merged.ts'

export interface Derived {
  readonly weights: TunedWeights
  readonly title: string
  /** Of all that it is made of besides the base. */
  readonly digest: string
  /** Of the adapter that it is; none where there is none. */
  readonly trainableParameters?: number
  readonly merge?: MergedPoint
}

type Make = (base: Base, rest: string) => Derived | Promise<Derived>

const MAKERS: Readonly<Record<string, Make>> = { compress: compressedBase, merge: mergedPoint }

/** Undefined where `candidate` is a path. */
export function derivedFrom(candidate: string): ((base: Base) => Promise<Derived>) | undefined {
  const colon = candidate.indexOf(':')
  const kind = candidate.slice(0, Math.max(0, colon))
  if (!Object.hasOwn(MAKERS, kind)) return undefined
  return async (base) => MAKERS[kind]!(base, candidate.slice(colon + 1))
}
