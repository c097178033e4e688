/** @file What a benchmark is: rows in, prompts out. It knows no model and no judge's code; one file a benchmark. */
import type { z } from 'zod'
import type { BenchmarkRole, Sample } from '../contract/rows.ts'

export interface Benchmark<R = unknown> {
  readonly name: string
  readonly title: string
  /** Where the prompts come from, in words a report can print. */
  readonly citation: string
  /** How 1 and 0 of its label column were read, if it has such. */
  readonly reading?: string
  /** What its rate counts; see BenchmarkRow. */
  readonly role: BenchmarkRole
  /** One row of its file. */
  readonly row: z.ZodType<R>
  /** Why a row cannot be asked; undefined where it can. Such rows are counted and left out. */
  leaveOut?(row: R): string | undefined
  /** Pure; ids are unique and stable. */
  parse(rows: readonly R[]): Sample[]
  /** Part of the benchmark, not of the run: greedy, at most this many new tokens. */
  readonly maxNewTokens: number
  /** Of a fine-tune's own task: it must be right more often than its base by more than this share. */
  readonly gain?: number
  /** Names of judges, the first being the one that the verdict is drawn from. */
  readonly judges: readonly string[]
  /** The bundled file, relative to `evals/bundled/data`; absent for benchmarks imported from the user's disk. */
  readonly bundled?: string
  /** How a file on the user's disk is known to be this benchmark's; absent for the bundled ones. */
  readonly file?: FileShape
}

interface FileShape {
  /** What forces it: `--suite FAMILY=PATH`. Several benchmarks may lie in one file. */
  readonly family: string
  /** Alternatives; a file fits that has every column of one. */
  readonly columns: readonly (readonly string[])[]
  /** Whether a file fits only where it has no other column but a row number: few, common names say little. */
  readonly exact?: true
  /** Tells apart benchmarks whose files have the same columns. */
  readonly fileName?: RegExp
  /** Where the solved examples may lie that come before each question; the first that exists is read. */
  readonly examples?: (path: string) => readonly string[]
}
