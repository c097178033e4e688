/**
 * @file What a program imports: `import { audit, evaluate, train, compare } from 'touchstone'`.
 *
 * Each call is the verb of the command line in a process of its own, on the packaged Node, so it works from any Node ≥ 20, a
 * crash of the engine is an error of the call, and what is stored is what the command line stores.
 */
import type { z } from 'zod'
import type { AuditConfig, EvalConfig, TrainConfig } from '../audit/config.ts'
import type { JobEvent } from '../contract/events.ts'
import type { Results } from '../contract/results.ts'
import { startCompare, startJob, type Comparisons, type Run } from './api/calls.ts'

export type { Comparisons, JobEvent, Results, Run }
export { RunError, type Finished } from './api/calls.ts'

export interface Where {
  /** Folder of the database and the reports. */
  readonly outDir: string
  /** Stops the run at its next safe point; `resume` of the command line goes on with it. */
  readonly signal?: AbortSignal
}

/** Settings as `--config` takes them; what is left out is the default. */
export type AuditSettings = z.input<typeof AuditConfig>
export type EvaluateSettings = z.input<typeof EvalConfig>
export type TrainSettings = z.input<typeof TrainConfig>

export interface CompareSettings {
  /** Which variant of the first and which of the second; variants of the same name if not given. */
  readonly arms?: readonly [first: string, second: string]
  /** A gate file. */
  readonly gate?: string
  readonly signal?: AbortSignal
}

/** Fine-tunes a model and measures refusal, over-refusal and capability before and after. */
export const audit = (settings: AuditSettings, where: Where): Run =>
  startJob('audit', settings, where)

/** Evaluates a model, and fine-tunes of it that were made elsewhere. */
export const evaluate = (settings: EvaluateSettings, where: Where): Run =>
  startJob('eval', settings, where)

/** Fine-tunes a model and keeps the adapter or the weights. */
export const train = (settings: TrainSettings, where: Where): Run =>
  startJob('train', settings, where)

/** Compares two runs prompt by prompt: each a folder, a run, a results.json or a log of another tool. */
export const compare = (
  before: string,
  after: string,
  settings: CompareSettings = {},
): Promise<Comparisons> => startCompare(before, after, settings)
