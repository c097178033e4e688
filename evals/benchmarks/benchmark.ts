/** @file What a benchmark is: rows in, prompts out. It knows no model and no judge's code; one file a benchmark. */
import type { z } from 'zod'
import type { BenchmarkRole, Sample } from '../contract/rows.ts'

export interface Benchmark<R = unknown> {
  readonly name: string
  readonly title: string
  /** Where the prompts come from, in words a report can print. */
  readonly citation: string
  /** What its rate counts; see BenchmarkRow. */
  readonly role: BenchmarkRole
  /** One row of its file. */
  readonly row: z.ZodType<R>
  /** Pure; ids are unique and stable. */
  parse(rows: readonly R[]): Sample[]
  /** Part of the benchmark, not of the run: greedy, at most this many new tokens. */
  readonly maxNewTokens: number
  /** Names of judges, the first being the one that the verdict is drawn from. */
  readonly judges: readonly string[]
  /** The bundled file, relative to `evals/bundled/data`; absent for benchmarks imported from the user's disk. */
  readonly bundled?: string
}
