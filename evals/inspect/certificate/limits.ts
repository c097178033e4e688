/** @file Limits of the difference between an artefact and what was measured, by the coarsest storage type of its weights. */
import type { StorageType } from '../../models/weights/storage.ts'
import type { Agreement, Distance } from './measure.ts'

export interface Limits {
  readonly maxLogit: number
  /** Nats per token. */
  readonly meanKl: number
  /** Share of prompts with the same greedy reply, token by token. */
  readonly agreement: number
  /** Share of judged prompts whose verdict may change. */
  readonly verdictsChanged: number
}

const EXACT: Limits = { maxLogit: 1e-3, meanKl: 1e-7, agreement: 1, verdictsChanged: 0 }
const HALF: Limits = { maxLogit: 0.1, meanKl: 1e-5, agreement: 0.95, verdictsChanged: 0.01 }
const EIGHT: Limits = { maxLogit: 1, meanKl: 5e-3, agreement: 0.8, verdictsChanged: 0.02 }
const COARSE: Limits = { maxLogit: 5, meanKl: 0.1, agreement: 0.5, verdictsChanged: 0.05 }

interface Fineness {
  readonly types: readonly StorageType[]
  readonly limits: Limits
  /** Largest rounding error of this storage relative to a weight's root mean square. */
  readonly rounding: number
}

/** From the finest to the coarsest: half a step of 11 and 8 bits, of 1/127 of a block's largest number, of 2 to 6 bits. */
const FINENESS: readonly Fineness[] = [
  { types: ['F64', 'F32'], limits: EXACT, rounding: 2 ** -24 },
  { types: ['F16'], limits: HALF, rounding: 2 ** -11 },
  { types: ['BF16'], limits: EIGHT, rounding: 2 ** -8 },
  { types: ['Q8_0'], limits: EIGHT, rounding: 0.01 },
]
const COARSEST: Omit<Fineness, 'types'> = { limits: COARSE, rounding: 0.5 }

/** Limits of the coarsest type. */
export function finenessOf(types: Iterable<StorageType>): Omit<Fineness, 'types'> {
  const rankOf = (type: StorageType) => {
    const found = FINENESS.findIndex((each) => each.types.includes(type))
    return found < 0 ? FINENESS.length : found
  }
  return FINENESS[Math.max(0, ...[...types].map(rankOf))] ?? COARSEST
}

/** NaN exceeds every limit. */
export const isNear = ({ maxLogit, meanKl }: Distance, limits: Limits): boolean =>
  maxLogit <= limits.maxLogit && meanKl <= limits.meanKl

/** The exceeded limits, for people. */
export function beyond(distance: Distance, agreement: Agreement, limits: Limits): string[] {
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const changed = judged === 0 ? 0 : verdictsChanged / judged
  const text = (value: number) => Number(value.toPrecision(3)).toString()
  const over = (what: string, value: number, limit: number) =>
    value <= limit ? [] : [`${what} ${text(value)} (at most ${text(limit)})`]
  return [
    ...over('max |Δlogit|', distance.maxLogit, limits.maxLogit),
    ...over('mean KL', distance.meanKl, limits.meanKl),
    ...over('different replies', 1 - sameReplies / prompts, 1 - limits.agreement),
    ...over('verdicts changed', changed, limits.verdictsChanged),
  ]
}
