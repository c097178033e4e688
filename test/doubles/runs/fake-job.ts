/** @file A job without a model: a base that refuses everything, and a fine-tune that still refuses as many as it is told. */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { MethodChoice } from '../../../evals/finetune/method-choice.ts'
import type { ReplyRow } from '../../../evals/contract/rows.ts'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import type { CommandEntry } from '../../../evals/cli/command.ts'
import { jobCommand } from '../../../evals/cli/job-command.ts'
import type { JobVerb } from '../../../evals/runs/kinds/job-verb.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import { anyJobKind, type JobKind } from '../../../evals/contract/job.ts'
import { EXAMPLES } from '../rows/job-events.ts'

const PROMPTS = 40
/** Two that agree: what one says alone of refusals confirms nothing. */
const JUDGES = [EXAMPLES.verdict.row.judge, 'other']

/** Each asks a model of its own, and so is a family of its own. */
const judgeRow = (name: string) => ({
  ...{ role: `judge ${name}`, path: name, digest: 'sha256:j1', bytes: 0 },
  content: { kind: 'judge' as const, name, family: `model of ${name}` },
})

/** Of a model that is a file, its text. */
const digestOf = (model: string) =>
  existsSync(model) ? { weightsDigest: readFileSync(model, 'utf8') } : {}

export const FakeConfig = z.object({
  model: z.string().min(1).meta({ help: 'Any text' }),
  candidates: z.array(z.string()).default([]).meta({ flag: 'candidate', repeat: true }),
  methods: z.array(MethodChoice).default([]),
  seeds: z.array(z.int().min(0)).min(1).default([0]),
  mood: z.enum(['calm', 'loud']).default('calm'),
  limit: z.int().min(1).nullable().default(null),
  spectra: z.boolean().default(true).meta({ help: 'Look at weights' }),
  margin: z.number().gt(0).lt(1).default(0.5),
  /** Prompts that the fine-tune still refuses. */
  kept: z.int().min(0).max(PROMPTS).default(PROMPTS),
  /** Stops before the evaluation of this index, once, as a crash would. */
  failAt: z.int().nullable().default(null),
  failWith: z.enum(['world', 'usage', 'bug']).default('world'),
  device: z.enum(['auto', 'cuda']).default('auto'),
  waitMs: z.int().default(0),
  /** Before the first prompt, without looking at the signal. */
  deafMs: z.int().default(0),
  batchSize: z.int().min(1).default(16).meta({ flag: 'eval-batch-size' }),
  training: z
    .object({ steps: z.int().min(1).default(10), batchSize: z.int().min(1).max(64).default(8) })
    .prefault({}),
})
export type FakeConfig = z.infer<typeof FakeConfig>

/** How often each arm was evaluated, over all runs in this process. */
export const asked: string[] = []

export const fakeKind: JobKind<FakeConfig> = {
  name: 'audit',
  config: FakeConfig,
  title: ({ model }) => `A fake audit of ${model}`,
  plan: async ({ training }) => [
    { what: 'pretend to train', count: training.steps, unit: 'step', seconds: 90 },
    { what: 'ask', count: 2 * PROMPTS, unit: 'prompt', seconds: null },
  ],
  async run(config, context, { evaluations }) {
    // One reply a prompt: what is said to be drawn and is missing counts as harm.
    const asked = { samples: PROMPTS, judges: JUDGES, decoding: undefined, gain: null }
    const row = { ...EXAMPLES.benchmark.row, ...asked }
    context.emit({ type: 'benchmark', row })
    JUDGES.forEach((name) => context.emit({ type: 'artifact', row: judgeRow(name) }))
    for (const [index, arm] of ['base', 'lora'].entries()) {
      const own = arm === 'base' ? { method: null, ...digestOf(config.model) } : {}
      context.emit({
        type: 'subject',
        row: { ...EXAMPLES.subject.row, mitigation: undefined, arm, seed: 0, ...own },
      })
      if (evaluations.some((finished) => finished.arm === arm)) continue
      await evaluate(arm, arm === 'base' ? PROMPTS : config.kept, config, context, index)
    }
  },
}

async function evaluate(
  arm: string,
  refused: number,
  config: FakeConfig,
  { emit, signal }: JobContext,
  index: number,
): Promise<void> {
  if (config.failAt === index && !asked.includes(`fail ${config.model}`)) {
    asked.push(`fail ${config.model}`)
    throw failure(config)
  }
  asked.push(arm)
  const subject = { arm, seed: 0, step: arm === 'base' ? 0 : 10 }
  emit({ type: 'phase-start', phase: `ask ${arm}`, total: PROMPTS, unit: 'sample' })
  if (config.deafMs > 0) await sleep(config.deafMs)
  for (let i = 0; i < PROMPTS; i++) {
    if (config.waitMs > 0) await sleep(config.waitMs, undefined, { signal })
    signal.throwIfAborted()
    const key = { ...subject, sampleId: `q${i}` }
    // Each prompt is a cluster of its own, by name and by text.
    const own = { cluster: `q${i}`, prompt: `Question ${i}?`, promptDigest: `digest of ${i}` }
    const row = { ...EXAMPLES.reply.row, ...key, ...own } satisfies ReplyRow
    emit({ type: 'reply', row })
    const outcome = i < refused ? 'refusal' : 'compliance'
    for (const judge of JUDGES) {
      emit({ type: 'verdict', row: { ...EXAMPLES.verdict.row, ...key, judge, outcome } })
    }
    emit({ type: 'phase-progress', phase: `ask ${arm}`, done: i + 1 })
  }
  emit({ type: 'phase-end', phase: `ask ${arm}` })
  emit({ type: 'evaluation-end', subject, benchmark: 'house-refusal', samples: PROMPTS })
}

function failure({ failWith, model }: FakeConfig): Error {
  if (failWith === 'bug') return new Error('internal: the fake is broken')
  return failWith === 'usage'
    ? new TouchstoneError('usage.invalid', { problem: 'Wrong.', remedy: 'Write it rightly.' })
    : new TouchstoneError('checkpoint.not-found', { path: model })
}

const verb: JobVerb = {
  examples: ['touchstone audit --model any'],
  schema: FakeConfig,
  kind: async () => anyJobKind(fakeKind),
  writesReports: true,
}

const entry = (name: string, wanted: JobVerb): CommandEntry => ({
  name,
  summary: 'Pretend',
  load: async () => jobCommand(name, wanted),
})

/** `audit`, `train` (no reports) and `quickstart` (a preset that resumes by itself). */
export const FAKE_COMMANDS: readonly CommandEntry[] = [
  entry('audit', verb),
  entry('train', { ...verb, writesReports: false }),
  entry('quickstart', {
    ...verb,
    preset: { model: 'preset', kept: 0, training: { steps: 30 } },
    exitsZero: true,
    resumesByItself: true,
  }),
]
