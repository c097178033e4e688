/** @file What is known of a run's causes, from its stored rows. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { Attribution, Location, type Causes } from '../../contract/subjects/causes.ts'
import { Direction } from '../../contract/subjects/direction.ts'
import { interventionsOf } from './interventions.ts'

/** Undefined where no cause was looked for. */
export function causesOf(rows: AuditRows): Causes | undefined {
  const attributions = rows.artifacts.flatMap(({ content }) =>
    content?.kind === 'attribution' ? Attribution.parse(content) : [],
  )
  const locations = rows.artifacts.flatMap(({ content }) =>
    content?.kind === 'location' ? Location.parse(content) : [],
  )
  const directions = rows.artifacts.flatMap(({ content }) =>
    content?.kind === 'direction' ? Direction.parse(content) : [],
  )
  const interventions = interventionsOf(rows)
  const found = [attributions, locations, directions, interventions]
  if (found.every(({ length }) => length === 0)) return undefined
  return { attributions, locations, directions, interventions }
}
