/**
 * @file Claims on a benchmark whose prompts are asked in blocks, with a look after each. The claim rests on the look at which it
 * stopped: both p-values count what all looks up to there may spend (`evals/statistics/sequential`), so that the intersection of
 * all claims, Holm's family, floors and categories hold as they do for one look (docs/decisions/gate.md).
 */
import { nameIn } from '../../../contract/keys.ts'
import { counted } from '../../../contract/words.ts'
import type { ClaimInput, Draft } from '../claim-input.ts'
import type { ComparedRun } from '../compared-run.ts'
import type { ClaimLook } from './at-look.ts'
import { benchmarkOf, type Selection } from '../selection.ts'

/** Undefined where every prompt is asked at once. */
export function lookOf(
  after: ComparedRun,
  of: Pick<Selection, 'benchmark' | 'context'>,
  alpha: number,
): ClaimLook | undefined {
  const stopped = benchmarkOf(after, of)?.stopped
  if (!stopped) return undefined
  const { seen, rule, at } = stopped
  const all = seen.at(-1)!
  return {
    ...{ spending: rule.spending, alpha, at, stopped },
    fractions: seen.map(({ units }) => units / all.units),
    left: all.prompts - seen[at]!.prompts,
  }
}

/** The same claim at one look only: its p-values are what a test that is looked at once would give. */
export function withLook(asked: ClaimInput, draftOf: (asked: ClaimInput) => Draft): Draft {
  const draft = draftOf(asked)
  const { look, ...once } = asked
  if (!look || draft.claim.pBelow === null) return draft
  const { pBelow, pAbove } = draftOf(once).claim
  const { seen, at } = look.stopped
  const facts = {
    ...{ look: at + 1, of: seen.length, pBelow, pAbove },
    ...{ prompts: seen[at]!.prompts, ofPrompts: seen.at(-1)!.prompts },
  }
  return { ...draft, claim: { ...draft.claim, look: facts } }
}

/** "; looked at 3 times, after 154 of 256 prompts", before a full stop. */
export const lookText = (look: ClaimLook | undefined): string => {
  if (!look) return ''
  const { seen, at } = look.stopped
  return `; at look ${at + 1} of ${seen.length}, after ${seen[at]!.prompts} of ${counted(seen.at(-1)!.prompts, 'prompt')}`
}

/** Both sides as far as the one after was asked: the base may have been asked on for another fine-tune. */
export function asFarAs(run: ComparedRun, after: ComparedRun): ComparedRun {
  const looked = after.benchmarks.flatMap(({ name, context, stopped, replies }) =>
    stopped ? [{ name, context: context?.name, stopped, replies }] : [],
  )
  if (looked.length === 0) return run
  const askedOf = new Map(
    looked.map(({ name, context, stopped: { order, seen, at } }) => [
      placeOf(name, context),
      new Set(order.slice(0, seen[at]!.prompts)),
    ]),
  )
  const of = (name: string, context?: string) =>
    looked.find((row) => row.name === name && row.context === context)
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) => {
      const own = of(row.name, row.context?.name)
      return own ? { ...row, replies: own.replies ?? null } : row
    }),
    judged: run.judged.filter(
      ({ benchmark, context, sampleId }) =>
        askedOf.get(placeOf(benchmark, context))?.has(sampleId) ?? true,
    ),
  }
}

const placeOf = (benchmark: string, context: string | undefined) =>
  context === undefined ? benchmark : nameIn(benchmark, context)
