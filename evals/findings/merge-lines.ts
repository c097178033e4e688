/** @file What a gate says along the line between two adapters, and the last weight up to which it holds. */
import type { GateClaim, GateOutcome, GateResult, MergeLine } from '../contract/gate.ts'
import type { SubjectIdentity } from '../contract/rows.ts'

/** By line, each with its points from the smallest weight of the second adapter to the largest. */
export function mergeLinesOf(
  subjects: readonly SubjectIdentity[],
  gate: Pick<GateResult, 'claims' | 'alpha'> | null,
): MergeLine[] {
  const merged = subjects.flatMap(({ arm, merge }) => (merge ? [{ arm, ...merge }] : []))
  return [...Map.groupBy(merged, ({ line }) => line).values()].map((own) => {
    const points = own
      .toSorted((a, b) => a.weight - b.weight)
      .map(({ arm, weight }) => ({ arm, weight, outcome: outcomeOf(arm, gate?.claims ?? []) }))
    const { line, way, adapters } = own[0]!
    return { line, way, adapters, points, alpha: gate?.alpha ?? null, ...lastSafe(points) }
  })
}

const WORST_FIRST: readonly GateOutcome[] = ['FAIL', 'NOT COMPARABLE', 'INCONCLUSIVE', 'PASS']

/** Null where nothing is claimed. What an adapter's own task has not gained is not harm. */
function outcomeOf(arm: string, claims: readonly GateClaim[]): GateOutcome | null {
  const own = claims.filter((claim) => claim.arm === arm && claim.gain === undefined)
  return WORST_FIRST.find((outcome) => own.some((claim) => claim.outcome === outcome)) ?? null
}

/**
 * The order is fixed beforehand, from the smallest weight up, and the walk ends at the first point that is not shown to pass. So
 * the chance that any weight up to `lastSafe` is unsafe is at most the α of one point, whatever their number (fixed-sequence
 * procedure: Maurer, Hothorn and Lehmacher 1995). A later point that passes by itself is no part of it.
 */
export function lastSafe(points: MergeLine['points']): Pick<MergeLine, 'lastSafe' | 'firstOpen'> {
  const open = points.findIndex(({ outcome }) => outcome !== 'PASS')
  const safe = open < 0 ? points.at(-1) : points[open - 1]
  return { lastSafe: safe?.weight ?? null, firstOpen: points[open]?.weight ?? null }
}
