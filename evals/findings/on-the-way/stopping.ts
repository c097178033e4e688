/** @file Whether a state of a run may stop asking at a look, by the run's own gate or, with its margin, the default one. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { firstJudge, isBase, isSameState } from '../../contract/keys.ts'
import type { SubjectKey } from '../../contract/rows.ts'
import { judgedStates } from '../contesting.ts'
import { defaultGate } from '../gate/decide.ts'
import { storedGate } from '../gate/gate-file.ts'
import { mayStop } from '../gate/looks/may-stop.ts'
import { pinnedIn } from '../pinned.ts'

interface At {
  readonly key: SubjectKey
  /** With its context. */
  readonly benchmark: string
  /** From 0. */
  readonly look: number
  readonly margin: number
  /** Model states and benchmarks that the run's claims will be about. */
  readonly planned: number
}

/** `rows` hold the replies of both sides up to the look, and perhaps more. */
export function stopsAt(rows: AuditRows, { key, benchmark, look, margin, planned }: At): boolean {
  const row = rows.benchmarks.find(({ name }) => name === benchmark)
  const samples = row?.looks?.seen[look]?.prompts
  if (!row || samples === undefined) return true
  const sides = [...rows.evaluations.filter(isBase), { ...key, benchmark, samples }]
  const own = {
    ...rows,
    benchmarks: [row],
    // Where a training ends is no matter on its way: each state is looked at as if it were the last.
    planned: [],
    // What an attempt that was killed asked beyond this look is not looked at.
    evaluations: sides.filter((each) => each.benchmark === benchmark),
    replies: rows.replies.filter((each) => each.benchmark === benchmark),
    verdicts: rows.verdicts.filter((each) => each.benchmark === benchmark),
  }
  const states = judgedStates(own, rows.run.id)
  const [before, after] = [states.find(isBase), states.find(isSameState(key))]
  if (!before || !after) return true
  const gate = storedGate(rows.run.config) ?? defaultGate(margin)
  const reference = gate.reference && pinnedIn(rows, gate.reference.run)
  const name = row.context?.of ?? row.name
  return mayStop({
    ...{ gate, before, after },
    gated: { judges: new Map([[name, firstJudge(row)]]), ...(reference && { reference }) },
    of: { benchmark: name, ...(row.context && { context: row.context.name }) },
    family: (claims) => claims * planned,
  })
}
