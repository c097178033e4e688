/** @file A gate as its user writes it. */
import { z } from 'zod'
import { BENCHMARK_ROLES } from '../rows.ts'

/** What must agree before two runs may be compared. */
export const COMPARED_FIELDS = [
  'template',
  'tokenizer',
  'context',
  'thinking',
  'products',
  'cache-precision',
  'prompts',
  'prompt-text',
  'judge-version',
  'max-new-tokens',
  'samples',
  'temperature',
  'seed',
] as const
export const ComparedField = z.enum(COMPARED_FIELDS)
export type ComparedField = z.infer<typeof ComparedField>

/** What a score of a foreign metric means: whether higher or lower is better, and the role that it is read in. */
export const MetricMeaning = z.templateLiteral([
  z.enum(['higher', 'lower']),
  ':',
  z.enum(BENCHMARK_ROLES),
])
export type MetricMeaning = z.infer<typeof MetricMeaning>

const Alpha = z.number().gt(0).lt(0.5)
const Share = z
  .number()
  .gt(0)
  .lt(1, 'a share below 1 is expected: five points are 0.05, 97 % is 0.97')
/** A share, or `false` for none; the default of the benchmark's role where absent. */
const Bound = z.union([Share, z.literal(false)]).optional()

const GatedBenchmark = z.strictObject({
  /** The largest tolerated harm, as a share of prompts. */
  margin: Share,
  alpha: Alpha.optional(),
  /** The benchmark's first judge where absent. */
  judge: z.string().min(1).optional(),
  /** In place of the margin: it must be better than before by more than this share, as a fine-tune on its own task. */
  gain: z.number().min(0).lt(1).optional(),
  /** The least rate, and the largest, of the fine-tune itself. */
  floor: Bound,
  ceiling: Bound,
  /** The largest share of degenerate replies. */
  degenerate: Bound,
  /** The largest tolerated harm in each category. */
  categories: Bound,
})
export type GatedBenchmark = z.infer<typeof GatedBenchmark>

/** What must hold of a fine-tune, in YAML or JSON; docs/evidence.md explains each field. */
export const GateRule = z
  .strictObject({
    /** Level of every claim. */
    alpha: Alpha.default(0.05),
    /** For every measured benchmark that `benchmarks` does not name; absent: those are not gated. */
    margin: Share.optional(),
    benchmarks: z.record(z.string().min(1), GatedBenchmark).default({}),
    /** An earlier run, against which each fine-tune is held too: a folder, a run's id, results.json, or a log of another tool. */
    reference: z
      .strictObject({
        run: z.string().min(1),
        /** Its base where absent. */
        arm: z.string().min(1).optional(),
        /** The largest tolerated harm since; the benchmark's own margin where absent. */
        margin: Share.optional(),
      })
      .optional(),
    /** What metrics of foreign logs mean, by name, such as `lower:refusal`. */
    metrics: z.record(z.string().min(1), MetricMeaning).optional(),
    /** Judges, or metrics of foreign logs, whose word on refusals is taken without anything that confirms it. */
    trust: z.array(z.string().min(1)).optional(),
    /** Benchmarks whose prompts, or clusters of them, are taken as independent where neither clusters nor texts show it. */
    independent: z.array(z.string().min(1)).optional(),
    /** Fine-tunes, by name, that are taken as other models than their base where nothing shows it. */
    distinct: z.array(z.string().min(1)).optional(),
    /** Differences between runs that are allowed, by name. */
    allowDifferences: z.array(ComparedField).default([]),
  })
  .refine(
    ({ margin, benchmarks }) => margin !== undefined || Object.keys(benchmarks).length > 0,
    'it names no benchmark and no margin',
  )
export type GateRule = z.infer<typeof GateRule>
