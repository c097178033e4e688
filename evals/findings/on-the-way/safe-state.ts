/** @file Whether one state of a run passes its gate, for a search for the last that does. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { firstJudge, isBase, isSameState } from '../../contract/keys.ts'
import type { SubjectKey } from '../../contract/rows.ts'
import { judgedStates } from '../contesting.ts'
import { claimsOf, dividedGate, defaultGate } from '../gate/decide.ts'
import { storedGate } from '../gate/gate-file.ts'
import { pinnedIn } from '../pinned.ts'

interface Asked {
  readonly margin: number
  /** How many states of the training may be asked for. */
  readonly states: number
}

/** What is not learnt yet is not harm. */
export function isSafe(rows: AuditRows, key: SubjectKey, { margin, states: most }: Asked): boolean {
  const states = judgedStates(rows, rows.run.id)
  const [before, after] = [states.find(isBase), states.find(isSameState(key))]
  if (!before || !after) return false
  const gate = storedGate(rows.run.config) ?? defaultGate(margin)
  const reference = gate.reference && pinnedIn(rows, gate.reference.run)
  const plain = rows.benchmarks.filter(({ context }) => !context)
  const judges = new Map(plain.map((row) => [row.name, firstJudge(row)]))
  const gated = { against: [], steps: [], judges, reference }
  const claims = claimsOf(dividedGate(gate, most), gated, before, after)
  const harms = claims.filter(({ gain }) => gain === undefined)
  return harms.length > 0 && harms.every(({ outcome }) => outcome === 'PASS')
}
