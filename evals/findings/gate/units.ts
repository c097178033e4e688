/** @file A PASS takes prompts, or clusters of them, as independent: without anything that shows it, it is none. */
import { clustersBetween } from './clusters.ts'
import { selectionOf, type ClaimInput, type Draft } from './claim-input.ts'
import { rowsOf, withoutMarks } from './selection.ts'

/** The claim, undecided where it rests on prompts of which nothing shows that they are independent. */
export function withKnownUnits(asked: ClaimInput, draft: Draft): Draft {
  const { claim } = draft
  if (claim.outcome !== 'PASS' || asked.isIndependent) return draft
  const selection = selectionOf(asked)
  const [before, after] = [asked.before, asked.after].map((run) => rowsOf(run, selection))
  const { doubt } = clustersBetween(withoutMarks(before!), withoutMarks(after!))
  if (doubt === undefined) return draft
  const { name } = asked.benchmark
  const sentence = `${claim.sentence.slice(0, -1)}, if its prompts are independent of one another, which nothing shows: ${doubt}. Name what each prompt comes from in a column or field cluster, or write independent: ["${name}"] in a gate file to take them as independent.`
  return { ...draft, claim: { ...claim, outcome: 'INCONCLUSIVE', sentence } }
}
