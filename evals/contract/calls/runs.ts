/** @file Runs: listed, named, deleted and restored, compared, exported. */
import { z } from 'zod'
import { call, Done, RunRef } from '../call.ts'
import { Difference, GateOutcome, GateResult } from '../gate.ts'
import { ComparedField } from '../gate/rule.ts'
import { Section } from '../document.ts'
import { Rate, Results } from '../results.ts'
import { ArmKey, BENCHMARK_ROLES, Outcome, SubjectKey } from '../rows.ts'
import { WireError } from '../wire-error.ts'

const RunNote = z.object({
  /** Name given by the user; if null, the title is shown. */
  name: z.string().max(200).nullable(),
  note: z.string().max(10_000),
  tags: z.array(z.string().trim().min(1).max(60)).max(50),
})
type RunNote = z.infer<typeof RunNote>

export const RunSummary = z.object({
  /** Null if nothing was compared with a base. */
  verdict: GateOutcome.nullable(),
  headline: z.string(),
  /** Rates of every arm and seed at its last step, by each benchmark's first judge. */
  rates: z.array(
    SubjectKey.extend({
      benchmark: z.string(),
      role: z.enum(BENCHMARK_ROLES),
      ...Rate.pick({ estimate: true, lower: true, upper: true, n: true }).shape,
    }),
  ),
})
export type RunSummary = z.infer<typeof RunSummary>

export const RunEntry = RunRef.extend({
  ...RunNote.shape,
  kind: z.string(),
  title: z.string(),
  command: z.string(),
  config: z.unknown(),
  startedAt: z.int(),
  endedAt: z.int().nullable(),
  outcome: z.enum(['done', 'cancelled', 'failed', 'running', 'interrupted']),
  error: WireError.nullable(),
  folder: z.string(),
  deletedAt: z.int().nullable(),
  /** Whether it ended with evaluations, so that it has a summary. */
  isMeasured: z.boolean(),
  /** Null also if it was not computed yet; `run.summary` computes it, which reads the whole run. */
  summary: RunSummary.nullable(),
})
export type RunEntry = z.infer<typeof RunEntry>

/** Long parts are paged by `sample` and `spectrum`. */
const RunResults = Results.omit({ flips: true, spectra: true, metrics: true })

const ComparisonRow = z.object({
  benchmark: z.string(),
  title: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  judge: z.string(),
  /** In which the prompts were put, by name. */
  context: z.string().optional(),
  differences: z.array(Difference),
  allowed: z.array(Difference),
  unknown: z.array(ComparedField),
  n: z.int(),
  prompts: z.int(),
  before: z.number().nullable(),
  after: z.number().nullable(),
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  onlyBefore: z.int(),
  onlyAfter: z.int(),
  pValue: z.number().nullable(),
  midP: z.number().nullable(),
  isSignificant: z.boolean(),
  droppedUndecided: z.int(),
  unmatched: z.int(),
})

const StateName = z.object({ runId: z.string(), arm: z.string(), seed: z.int(), step: z.int() })

export const ComparedPair = z.object({
  before: StateName,
  after: StateName,
  rows: z.array(ComparisonRow),
  /** The first two hundred; `flipCount` is their total. */
  flips: z.array(
    z.object({
      benchmark: z.string(),
      judge: z.string(),
      sampleId: z.string(),
      epoch: z.int(),
      category: z.string(),
      prompt: z.string().nullable(),
      before: Outcome,
      after: Outcome,
    }),
  ),
  flipCount: z.int(),
})

/** A margin for each benchmark that must hold, as in a gate file. */
const Gate = z.record(z.string(), z.unknown())

const Compare = z.object({
  before: RunRef.extend({ arm: z.string().nullable().default(null) }),
  after: RunRef.extend({ arm: z.string().nullable().default(null) }),
  gate: Gate.nullable().default(null),
  allowDifferences: z.array(ComparedField).default([]),
})

export const EXPORTS = [
  'report',
  'results',
  'case',
  'fact-sheet',
  'oscal',
  'model-card',
  'adapter',
  'inspect',
  'eee',
  'junit',
  'csv',
] as const

const RunDocument = z.object({
  title: z.string(),
  sections: z.array(Section),
  benchmarks: z.array(z.object({ name: z.string(), title: z.string() })),
  /** Whether anything was compared with a base, so that a gate can be applied. */
  isCompared: z.boolean(),
  hasWeights: z.boolean(),
  /** What to try after a FAIL. */
  advice: GateResult.shape.advice,
})

export const run = {
  /** Newest first; deleted ones only on request. Reads no replies. */
  list: call(
    z.object({ isDeleted: z.boolean().default(false) }).default({ isDeleted: false }),
    z.array(RunEntry),
  ),
  /** Computed once and stored; null for a run without evaluations. */
  summary: call(RunRef, RunSummary.nullable()),
  results: call(RunRef, RunResults),
  /** The report's sections: all, or those about training or about weights. */
  document: call(
    RunRef.extend({ part: z.enum(['all', 'training', 'weights']).default('all') }),
    RunDocument,
  ),
  /** Training curves and losses, by step. */
  metrics: call(
    RunRef.extend({ names: z.array(z.string()).default([]) }),
    z.array(
      ArmKey.extend({
        name: z.string(),
        steps: z.array(z.int()),
        values: z.array(z.number()),
      }),
    ),
  ),
  /** Absent fields are not changed. */
  annotate: call(RunRef.extend(RunNote.partial().shape), Done),
  delete: call(RunRef, Done),
  restore: call(RunRef, Done),
  /** Removes rows, checkpoints and files of a deleted run for good. */
  purge: call(RunRef, z.object({ bytes: z.int() })),
  compare: call(Compare, z.object({ gate: GateResult.nullable(), pairs: z.array(ComparedPair) })),
  /** Decides a gate for a run without storing it. */
  gate: call(
    RunRef.extend({ gate: Gate, allowDifferences: z.array(ComparedField).default([]) }),
    GateResult,
  ),
  /** Into `exports/` of the workbench's folder. `keepReason` is needed for weights that would be deleted, and logged. */
  export: call(
    RunRef.extend({
      what: z.enum(EXPORTS),
      keepReason: z.string().max(500).nullable().default(null),
    }),
    z.object({
      files: z.array(z.object({ path: z.string(), bytes: z.int(), isFolder: z.boolean() })),
    }),
  ),
}
