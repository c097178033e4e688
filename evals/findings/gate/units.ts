/** @file A PASS takes prompts, or clusters of them, as independent: without anything that shows it, it is none. */
import type { GateRule } from '../../contract/gate/rule.ts'
import type { ComparedRun } from './compared-run.ts'
import { clustersBetween } from './clusters.ts'
import { selectionOf, type ClaimInput, type Draft } from './claim-input.ts'
import { rowsOf, withoutMarks } from './selection.ts'

const known = new WeakMap<ComparedRun, Map<string, ComparedRun>>()

/** The run as the gate sees it: prompts that it takes as independent stand each by itself where they name no cluster. */
export function asUnits(run: ComparedRun, { independent = [] }: GateRule): ComparedRun {
  if (independent.length === 0) return run
  const own = known.get(run) ?? new Map<string, ComparedRun>()
  known.set(run, own)
  const key = JSON.stringify(independent)
  const found = own.get(key) ?? { ...run, judged: standingAlone(run.judged, new Set(independent)) }
  own.set(key, found)
  return found
}

const standingAlone = (judged: ComparedRun['judged'], names: ReadonlySet<string>) =>
  judged.map((row) =>
    names.has(row.benchmark) && row.cluster === undefined ? { ...row, cluster: row.sampleId } : row,
  )

/** The claim, undecided where it rests on prompts of which nothing shows that they are independent. */
export function withKnownUnits(asked: ClaimInput, draft: Draft): Draft {
  const { claim } = draft
  if (claim.outcome !== 'PASS') return draft
  const selection = selectionOf(asked)
  const [before, after] = [asked.before, asked.after].map((run) => rowsOf(run, selection))
  const { doubt } = clustersBetween(withoutMarks(before!), withoutMarks(after!))
  if (doubt === undefined) return draft
  const { name } = asked.benchmark
  const sentence = `${claim.sentence.slice(0, -1)}, if its prompts are independent of one another, which nothing shows: ${doubt}. Name what each prompt comes from in a column or field cluster, or write independent: ["${name}"] in a gate file to take them as independent.`
  return { ...draft, claim: { ...claim, outcome: 'INCONCLUSIVE', sentence } }
}
