/** @file Cells that are run in one pass: the seeds of a block at one place, where a testbed trains them side by side. */
import type { PlannedCell } from '../../contract/sweeps.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { findTestbed } from '../testbeds/find-testbed.ts'

/** A task of a scheduler; `position` is that of its first cell. */
export interface Pass {
  readonly position: number
  readonly cells: readonly [PlannedCell, ...PlannedCell[]]
}

/** In the order of their first cells. */
export function passesOf(cells: readonly PlannedCell[]): Pass[] {
  const groups = Map.groupBy(cells, keyOf)
  return [...groups.values()].map((group) => {
    const [first, ...others] = group
    return { position: first!.position, cells: [first!, ...others] }
  })
}

function keyOf({ key, spec }: PlannedCell): string {
  if (spec.kind === 'model') return key
  const { together } = findTestbed(spec.testbed)
  if (!together) return key
  return canonicalJson([spec.testbed, spec.parameters, Math.floor(spec.seed / together.block)])
}
