/** @file Limits of the difference between an artefact and what was measured, by the coarsest storage type that holds much of it. */
import { STORAGE_FORMATS } from '../../models/weights/dequantise.ts'
import { binomialLowerTail } from '../../statistics/binomial.ts'
import type { StorageType, StoredWeight } from '../../models/weights/storage.ts'
import type { Agreement, Distance } from './measure.ts'

export interface Limits {
  /** Infinite unless it is asked for: one logit of millions says little. */
  readonly maxLogit: number
  readonly tokenLogit: number
  /** Nats per token. */
  readonly meanKl: number
  readonly tailKl: number
  /** Share of positions with the same most likely token. */
  readonly sameTop: number
  /** Share of prompts with the same greedy reply, token by token. */
  readonly agreement: number
  /** Share of judged prompts whose verdict may change. */
  readonly verdictsChanged: number
  /** More change than that share only where as many would with a smaller probability; 1 allows no more. */
  readonly chance: number
}

/** Largest rounding error of a weight, relative to its root mean square. */
interface Rounding {
  readonly share: number
  /** Of any row. */
  readonly row: number
  /** Of the scale at which it comes nearest. */
  readonly scale: number
}

interface Fineness {
  readonly types: readonly StorageType[]
  readonly limits: Limits
  readonly rounding: Rounding
}

/** What of a limit does not depend on the precision. */
const SHARED = { maxLogit: Infinity, chance: 0.05 }

// Several times what honest exports show (docs/models/certificates.md); replies of 64 tokens part at the first near tie.
const EXACT: Limits = {
  ...{ ...SHARED, tokenLogit: 1e-3, meanKl: 1e-7, tailKl: 1e-6, sameTop: 0.998 },
  ...{ agreement: 0.95, verdictsChanged: 0 },
}
const HALF: Limits = {
  ...{ ...SHARED, tokenLogit: 0.05, meanKl: 1e-5, tailKl: 1e-4, sameTop: 0.99 },
  ...{ agreement: 0.8, verdictsChanged: 0.01 },
}
const BRAIN: Limits = {
  ...{ ...SHARED, tokenLogit: 0.3, meanKl: 1e-3, tailKl: 0.01, sameTop: 0.98 },
  ...{ agreement: 0.5, verdictsChanged: 0.02 },
}
const EIGHT: Limits = {
  ...{ ...SHARED, tokenLogit: 0.5, meanKl: 5e-3, tailKl: 0.05, sameTop: 0.93 },
  ...{ agreement: 0, verdictsChanged: 0.04 },
}
const COARSE: Limits = {
  ...{ ...SHARED, tokenLogit: 2, meanKl: 0.1, tailKl: 1, sameTop: 0.8 },
  ...{ agreement: 0, verdictsChanged: 0.1 },
}

/** From the finest to the coarsest. */
const FINENESS: readonly Fineness[] = [
  { types: ['F64', 'F32'], limits: EXACT, rounding: { share: 1e-5, row: 1e-4, scale: 1e-5 } },
  { types: ['F16'], limits: HALF, rounding: { share: 1e-3, row: 2e-3, scale: 1e-3 } },
  { types: ['BF16'], limits: BRAIN, rounding: { share: 4e-3, row: 8e-3, scale: 2e-3 } },
  { types: ['Q8_0'], limits: EIGHT, rounding: { share: 0.01, row: 0.03, scale: 2e-3 } },
  { types: ['Q6_K'], limits: COARSE, rounding: { share: 0.04, row: 0.1, scale: 5e-3 } },
  {
    types: ['Q5_0', 'Q5_1', 'Q5_K'],
    limits: COARSE,
    rounding: { share: 0.1, row: 0.25, scale: 0.01 },
  },
  {
    types: ['Q4_0', 'Q4_1', 'Q4_K', 'IQ4_NL', 'IQ4_XS'],
    limits: COARSE,
    rounding: { share: 0.2, row: 0.5, scale: 0.02 },
  },
  { types: ['Q3_K'], limits: COARSE, rounding: { share: 0.35, row: 0.8, scale: 0.05 } },
]
const COARSEST: Omit<Fineness, 'types'> = {
  limits: COARSE,
  rounding: { share: 0.6, row: 1, scale: 0.12 },
}

const rankOf = (type: StorageType): number => {
  const found = FINENESS.findIndex(({ types }) => types.includes(type))
  return found < 0 ? FINENESS.length : found
}
const finenessAt = (rank: number) => FINENESS[rank] ?? COARSEST

export const roundingOf = (type: StorageType): Rounding => finenessAt(rankOf(type)).rounding

/** Least share of the numbers for a storage type to count: one coarse matrix in a fine file is no reason for coarse limits. */
const MUCH = 0.05

export type Stored = Pick<StoredWeight, 'name' | 'storage' | 'bytes'>

/** Limits of the coarsest type that holds much of the artefact; those of float32 where nothing is stored but an adapter. */
export function limitsOf(stored: readonly Stored[]): Limits {
  const numbers = new Map<StorageType, number>()
  for (const { storage, bytes } of stored) {
    const { elementsPerBlock, bytesPerBlock } = STORAGE_FORMATS[storage]
    numbers.set(storage, (numbers.get(storage) ?? 0) + (bytes / bytesPerBlock) * elementsPerBlock)
  }
  const all = [...numbers.values()].reduce((a, b) => a + b, 0)
  const much = [...numbers].filter(([, count]) => count >= MUCH * all)
  return finenessAt(Math.max(0, ...much.map(([type]) => rankOf(type)))).limits
}

/** Of one text; NaN exceeds every limit. */
export const isNear = ({ maxLogit, tokenLogit, meanKl }: Distance, limits: Limits): boolean =>
  maxLogit <= limits.maxLogit && tokenLogit <= limits.tokenLogit && meanKl <= limits.meanKl

/** The exceeded limits, for people. */
export function beyond(distance: Distance, agreement: Agreement, limits: Limits): string[] {
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const changed = judged === 0 ? 0 : verdictsChanged / judged
  const text = (value: number) => Number(value.toPrecision(3)).toString()
  const over = (what: string, value: number, limit: number) =>
    value <= limit ? [] : [`${what} ${text(value)} (at most ${text(limit)})`]
  return [
    ...over('max |Δlogit|', distance.maxLogit, limits.maxLogit),
    ...over('|Δlogit| of one token', distance.tokenLogit, limits.tokenLogit),
    ...over('mean KL', distance.meanKl, limits.meanKl),
    ...over('KL of 1 token in 100', distance.tailKl, limits.tailKl),
    ...over('other likeliest tokens', 1 - distance.sameTop, 1 - limits.sameTop),
    ...over('different replies', 1 - sameReplies / prompts, 1 - limits.agreement),
    ...(isByChance(agreement, limits)
      ? []
      : over('verdicts changed', changed, limits.verdictsChanged)),
  ]
}

/** Whether so many verdicts may change of a model that changes no more than the limit's share. */
function isByChance(
  { judged, verdictsChanged }: Agreement,
  { verdictsChanged: share, chance }: Limits,
): boolean {
  if (verdictsChanged === 0 || share === 0 || share === 1)
    return share === 1 || verdictsChanged === 0
  return 1 - binomialLowerTail(verdictsChanged - 1, judged, share) >= chance
}
