/** @file Which evaluations were not asked anew, and the sentences of the report that say so. */
import type { AuditRows } from '../contract/audit-rows.ts'
import { keyOf } from '../contract/keys.ts'
import type { OriginRow } from '../contract/subjects/origin.ts'
import { counted, listed } from '../contract/words.ts'

export const originsOf = ({ evaluations }: Pick<AuditRows, 'evaluations'>): OriginRow[] =>
  evaluations.flatMap(({ arm, seed, step, benchmark, origin }) =>
    origin ? [{ arm, seed, step, benchmark, origin }] : [],
  )

export const originLimits = (origins: readonly OriginRow[]): string[] => [
  ...keptLimits(origins),
  ...startLimits(origins),
]

function startLimits(origins: readonly OriginRow[]): string[] {
  const starts = Map.groupBy(
    origins.filter(({ origin }) => origin.from === 'base'),
    ({ arm, seed }) => keyOf(arm, seed),
  )
  if (starts.size === 0) return []
  const first = [...starts.values()].map(([row]) => row!)
  const names = first.map(({ arm, seed }) => `${arm} (seed ${seed})`)
  const checked = first.reduce((sum, { origin }) => sum + origin.checked, 0)
  return [
    `Step 0 of ${listed(names)} is the base itself: its rows are the base’s, copied, and ${counted(checked, 'prompt')} asked all the same were answered alike.`,
  ]
}

/** Of the base alone. */
function keptLimits(origins: readonly OriginRow[]): string[] {
  const kept = origins.flatMap(({ origin }) => (origin.from === 'cache' ? [origin] : []))
  if (kept.length === 0) return []
  const runs = [...new Set(kept.flatMap((origin) => origin.runs))].sort()
  const count = (of: 'kept' | 'checked') => kept.reduce((sum, origin) => sum + origin[of], 0)
  return [
    `${counted(count('kept'), 'answer')} of the base were not asked for again but kept on this machine by ${runs.length === 1 ? 'run' : 'runs'} ${listed(runs)}; ${count('checked')} others that were kept were asked for again, drawn by this run’s name, and are the same to the letter. Replies to prompts that should be refused stand in those runs alone. --ask-again asks for all.`,
  ]
}
