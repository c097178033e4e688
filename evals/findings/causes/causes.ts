/** @file What is known of a run's causes, from its stored rows. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { Attribution, Location, type Causes } from '../../contract/subjects/causes.ts'
import { interventionsOf } from './interventions.ts'

/** Undefined where no cause was looked for. */
export function causesOf(rows: AuditRows): Causes | undefined {
  const attributions = rows.artifacts.flatMap(({ content }) =>
    content?.kind === 'attribution' ? Attribution.parse(content) : [],
  )
  const locations = rows.artifacts.flatMap(({ content }) =>
    content?.kind === 'location' ? Location.parse(content) : [],
  )
  const interventions = interventionsOf(rows)
  if (attributions.length + locations.length + interventions.length === 0) return undefined
  return { attributions, locations, interventions }
}
