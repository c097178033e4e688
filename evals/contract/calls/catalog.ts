/** @file Methods, benchmarks, judges and kinds of jobs to choose from, with the schemas of their forms. */
import { z } from 'zod'
import { call, Nothing } from '../call.ts'
import { Engine } from '../events.ts'
import { BENCHMARK_ROLES } from '../rows.ts'
import { CAUSE_JOBS } from '../subjects/causes.ts'

/** A JSON Schema as zod writes it, with `label`, `help` and `unit` on its fields; see `form.ts`. */
const FormSchema = z.record(z.string(), z.unknown())

export const MethodEntry = z.object({
  name: z.string(),
  title: z.string(),
  paper: z.string(),
  faithfulness: z.enum(['exact', 'simplified', 'variant']),
  notes: z.array(z.string()),
  mergeable: z.boolean(),
  schema: FormSchema,
})
export type MethodEntry = z.infer<typeof MethodEntry>

export const BenchmarkEntry = z.object({
  name: z.string(),
  title: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  citation: z.string(),
  /** False if its prompts are read from a file of the user's. */
  isBundled: z.boolean(),
})
export type BenchmarkEntry = z.infer<typeof BenchmarkEntry>

const JudgeEntry = z.object({ name: z.string(), title: z.string(), citation: z.string() })
type JudgeEntry = z.infer<typeof JudgeEntry>

export const JOB_KINDS = [
  'audit',
  'train',
  'federate',
  'eval',
  'spectral',
  ...CAUSE_JOBS,
  'judge',
  'sweep',
  'budget',
  'mitigate',
  'task',
] as const
export const JobKindName = z.enum(JOB_KINDS)
export type JobKindName = z.infer<typeof JobKindName>

const JobKindEntry = z.object({
  kind: JobKindName,
  summary: z.string(),
  /** `methods` is a list of {name, config}: `config` by the method's own schema. */
  schema: FormSchema,
})

/** A job that can be started without changes. */
const PresetEntry = z.object({
  name: z.string(),
  title: z.string(),
  kind: JobKindName,
  config: z.record(z.string(), z.unknown()),
})

export const Catalog = z.object({
  version: z.string(),
  engine: Engine,
  methods: z.array(MethodEntry),
  benchmarks: z.array(BenchmarkEntry),
  suites: z.array(z.object({ name: z.string(), benchmarks: z.array(z.string()) })),
  judges: z.array(JudgeEntry),
  /** Bundled fine-tuning data, by the names that `data` takes. */
  datasets: z.array(z.object({ name: z.string(), title: z.string(), isTampering: z.boolean() })),
  jobs: z.array(JobKindEntry),
  axes: z.array(
    z.object({ name: z.string(), title: z.string(), scale: z.enum(['linear', 'log']) }),
  ),
  testbeds: z.array(z.object({ name: z.string(), title: z.string() })),
  presets: z.array(PresetEntry),
  /** Fields that must agree before two runs are compared. */
  comparedFields: z.array(z.string()),
})
export type Catalog = z.infer<typeof Catalog>

export const catalog = { get: call(Nothing, Catalog) }
