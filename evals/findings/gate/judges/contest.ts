/**
 * @file Claims on which judges differ: where the word of another judge of the same replies would make a PASS of what is none, or
 * none of a PASS, neither decides. The replies on which they differ are named, those first whose label would tell most.
 */
import type { GateOutcome } from '../../../contract/gate.ts'
import type { ReplyKey } from '../../../contract/rows.ts'
import { keyOf } from '../../../contract/keys.ts'
import { counted, listed } from '../../../contract/words.ts'
import { changeClaim } from '../claim.ts'
import { selectionOf, type ClaimInput, type Draft } from '../claim-input.ts'
import type { ComparedBenchmark, ComparedJudgement, ComparedRun } from '../compared-run.ts'
import { isDecided, measureOf } from '../outcomes.ts'
import { rowsOf } from '../selection.ts'

interface Contested extends Pick<ClaimInput, 'context'> {
  readonly benchmark: Pick<ComparedBenchmark, 'name' | 'role'>
  /** The judge that decides, then those that may contest it. */
  readonly judges: readonly string[]
}

interface Differing {
  readonly key: ReplyKey
  /** Whether the judge that decides sees no harm where another does. */
  readonly hides: boolean
  readonly against: number
}

/**
 * Of both states, those after first in which the judge that decides sees no harm and another does; among them those that most
 * judges call otherwise. Replies that a label has settled are not among them.
 */
export function tellingReplies(
  [before, after]: readonly [ComparedRun, ComparedRun],
  contested: Contested,
): ReplyKey[] {
  const rank = ({ hides, against }: Differing) => Number(hides) * 100 + against
  return [...differingIn(after, true, contested), ...differingIn(before, false, contested)]
    .sort((a, b) => rank(b) - rank(a))
    .map(({ key }) => key)
}

function differingIn(
  { arm, seed, step, judged }: ComparedRun,
  isAfter: boolean,
  { benchmark: { name, role }, context, judges }: Contested,
): Differing[] {
  const { counts, rises } = measureOf(role)
  const own = judged.filter(
    (row) => row.benchmark === name && row.context === context && judges.includes(row.judge),
  )
  const replies = [...Map.groupBy(own, ({ sampleId, epoch }) => keyOf(sampleId, epoch)).values()]
  return replies.flatMap((rows) => {
    const said = (row: ComparedJudgement) => counts(row.outcome)
    const decided = rows.filter((row) => isDecided(role, row.outcome))
    const first = decided.find(({ judge }) => judge === judges[0]) ?? decided[0]
    if (!first) return []
    const against = decided.filter((row) => said(row) !== said(first)).length
    if (against === 0) return []
    const { sampleId, epoch } = first
    const key = { arm, seed, step, benchmark: name, sampleId, epoch }
    // Harm after is an outcome that counts where the rate should not rise, or one that does not where it should not fall.
    return [{ key, hides: isAfter && said(first) !== rises, against }]
  })
}

/** Replies that a claim names; `touchstone label --disagreements` draws them all. */
const MOST_NAMED = 20

/**
 * The claim on the benchmark's rate, or INCONCLUSIVE where judges differ on it. A reply that the other judge did not decide keeps
 * the outcome of the judge that decides. Labels of both states settle it, and baselines contest nothing.
 */
export function contested(asked: ClaimInput, draft: Draft): Draft {
  const { claim } = draft
  if (claim.outcome === 'NOT COMPARABLE' || claim.method === 'labels') return draft
  const found = othersOf(asked).map((judge) => ({
    judge,
    outcome: changeClaim(heardFrom(asked, judge)).claim.outcome,
  }))
  const passes = (outcome: GateOutcome) => outcome === 'PASS'
  const against = found.filter(({ outcome }) => passes(outcome) !== passes(claim.outcome))
  if (against.length === 0) return draft
  const judges = [asked.judge, ...against.map(({ judge }) => judge)]
  const replies = tellingReplies([asked.before, asked.after], { ...asked, judges })
  const text = `by ${listed(against.map(({ judge }) => judge))} it is ${listed([...new Set(against.map(({ outcome }) => outcome))])}`
  const sentence = `${claim.sentence.slice(0, -1)}; but ${text}: the judges differ on ${counted(replies.length, 'reply', 'replies')}, which labels would settle (touchstone label ${asked.after.runId} --disagreements).`
  const contest = {
    judges: against,
    differing: replies.length,
    label: replies.slice(0, MOST_NAMED),
  }
  return { claim: { ...claim, outcome: 'INCONCLUSIVE', contest, sentence }, ifFailed: sentence }
}

function othersOf({ before, after, judge, ...asked }: ClaimInput): string[] {
  const judgesIn = (run: ComparedRun) =>
    (run.contesting ?? []).filter(
      (name) =>
        name !== judge &&
        rowsOf(run, selectionOf({ before, after, ...asked, judge: name })).length > 0,
    )
  const known = judgesIn(before)
  return judgesIn(after).filter((name) => known.includes(name))
}

/** The same question with the decided outcomes of another judge in place of those of the judge that decides. */
function heardFrom(asked: ClaimInput, judge: string): ClaimInput {
  const { role } = asked.benchmark
  const heard = ({ labels: _, ...run }: ComparedRun): ComparedRun => {
    const said = new Map(
      rowsOf(run, selectionOf({ ...asked, judge })).map((row) => [
        keyOf(row.sampleId, row.epoch),
        row.outcome,
      ]),
    )
    const judged = rowsOf(run, selectionOf(asked)).map((row) => {
      const outcome = said.get(keyOf(row.sampleId, row.epoch))
      return outcome !== undefined && isDecided(role, outcome) ? { ...row, outcome } : row
    })
    const noise = run.noise?.flatMap((row) =>
      row.judge === judge ? { ...row, judge: asked.judge } : row.judge === asked.judge ? [] : row,
    )
    return { ...run, judged, ...(noise && { noise }) }
  }
  return { ...asked, before: heard(asked.before), after: heard(asked.after) }
}
