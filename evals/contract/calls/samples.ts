/** @file Prompts, replies, verdicts and labels, in pages. Replies to prompts that should be refused are in no page. */
import { z } from 'zod'
import { call, Done, Page, PathText, Reason, RunRef } from '../call.ts'
import { People } from '../results.ts'
import { AskedContext, Outcome, ReplyKey, ReplyRow, SubjectKey, VerdictRow } from '../rows.ts'

const State = RunRef.extend(SubjectKey.shape)

const ASKED = { benchmark: true, sampleId: true, epoch: true, category: true } as const

export const SampleRow = ReplyRow.pick({
  ...ASKED,
  expected: true,
  prompt: true,
  text: true,
  tokens: true,
  stop: true,
  meanLogProb: true,
  thought: true,
}).extend({
  outcomes: z.array(
    VerdictRow.pick({
      judge: true,
      outcome: true,
      score: true,
      reason: true,
      thoughtOutcome: true,
    }),
  ),
})
export type SampleRow = z.infer<typeof SampleRow>

const Found = {
  category: z.string().nullable().default(null),
  /** Somewhere in the prompt. */
  search: z.string().max(200).default(''),
}
const Filter = {
  benchmark: z.string().nullable().default(null),
  /** By any judge, or by `judge`. */
  outcome: Outcome.nullable().default(null),
  judge: z.string().nullable().default(null),
  ...Found,
}

export const sample = {
  /** Every evaluated state, benchmark and judge. */
  states: call(
    RunRef,
    z.array(
      SubjectKey.extend({
        benchmark: z.string(),
        /** Null of the prompts as they are. */
        context: AskedContext.pick({ of: true, name: true, title: true }).nullable(),
        judges: z.array(z.string()),
        samples: z.int(),
        categories: z.array(z.string()),
      }),
    ),
  ),
  page: call(
    State.extend({ ...Filter, ...Page }),
    z.object({ total: z.int(), rows: z.array(SampleRow) }),
  ),
  /**
   * One reply that is kept apart, where its prompt is one of a bundled suite and the settings have a reason, which goes into the
   * run's log first; else null.
   */
  reveal: call(RunRef.extend(ReplyKey.shape), z.object({ text: z.string() }).nullable()),
  /** As `touchstone unblind`: every reply that is kept apart, to a new file which its owner alone can read. */
  unblind: call(
    RunRef.extend({ reason: Reason, path: PathText }),
    z.object({ path: z.string(), replies: z.int() }),
  ),
}

const Side = z.object({
  outcome: Outcome,
  text: z.string().nullable(),
  meanLogProb: z.number().nullable(),
  /** What each judge said of it. */
  judges: z.array(VerdictRow.pick({ judge: true, outcome: true, reason: true })),
})

export const PairRow = ReplyRow.pick({ ...ASKED, prompt: true, expected: true }).extend({
  isFlip: z.boolean(),
  before: Side,
  after: Side,
})
export type PairRow = z.infer<typeof PairRow>

/** Two states on the same prompts, flips first. They may be in two runs of different folders. */
export const pair = {
  page: call(
    z.object({
      before: State,
      after: State,
      /** One, or the same prompts in several contexts. */
      benchmarks: z.array(z.string()).min(1),
      judge: z.string(),
      onlyFlips: z.boolean().default(false),
      ...Found,
      /** Of the reply after. */
      outcome: Outcome.nullable().default(null),
      ...Page,
    }),
    z.object({
      total: z.int(),
      flips: z.int(),
      /** Replies of either side whose prompt the other side does not have in the same words. */
      unmatched: z.int(),
      rows: z.array(PairRow),
    }),
  ),
}

/** Blind: neither arm, step nor judge is told. */
const LabelTask = z.object({
  item: z.string(),
  prompt: z.string(),
  reply: z.string(),
  /** What this rater said before. */
  said: Outcome.nullable(),
  /** What others said last; told only where raters differ and it is to be settled. */
  others: z.array(Outcome),
})
type LabelTask = z.infer<typeof LabelTask>

const Rater = RunRef.extend({ rater: z.string().trim().min(1).max(60) })

export const label = {
  /** Draws replies to label, once; the same seed draws the same. Sealed replies are never drawn here. */
  draw: call(
    RunRef.extend({
      count: z.int().min(1).max(10_000).default(100),
      seed: z.int().min(0).default(0),
      benchmark: z.string().nullable().default(null),
      /** Only replies that judges call differently. */
      onlyDisagreements: z.boolean().default(false),
    }),
    z.object({ items: z.int() }),
  ),
  /**
   * What this rater has still to label first, in an order of the rater's own. `onlyConflicts`: what raters called differently
   * when they were blind, still to be settled first.
   */
  queue: call(
    Rater.extend({ ...Page, onlyConflicts: z.boolean().default(false) }),
    z.object({ total: z.int(), left: z.int(), tasks: z.array(LabelTask) }),
  ),
  save: call(
    Rater.extend({ item: z.string(), outcome: Outcome, isSettling: z.boolean().default(false) }),
    Done,
  ),
  /** Agreement between raters, judges held against people, and rates corrected for judges' errors. */
  summary: call(RunRef, People),
}
