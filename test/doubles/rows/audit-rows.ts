/** @file Rows of a made-up audit with planted truth: how many prompts each arm lost and gained against the base. */
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type {
  BenchmarkRole,
  BenchmarkRow,
  Expected,
  MetricRow,
  Outcome,
  ReplyRow,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from '../../../evals/contract/rows.ts'
import { engine } from './job-events.ts'
import { unlike } from './unlike.ts'

export interface PlannedBenchmark {
  readonly name: string
  readonly role: BenchmarkRole
  readonly n: number
  /** How many of the n the base counts in the benchmark's rate: the first ones. */
  readonly base: number
  /** Judges after the first say the same, but call the first `errs` prompts a failure. */
  readonly judges?: readonly { readonly name: string; readonly errs: number }[]
}

/** Against the base: the first `lost` of its successes are lost, the first `gained` of its failures gained. */
export interface Change {
  readonly lost: number
  readonly gained: number
  /** The last prompts of all, called undecided after. */
  readonly undecided?: number
  /** Of the lost ones, how many are broken text. */
  readonly degenerate?: number
}

interface PlannedArm {
  readonly arm: string
  readonly seed: number
  /** By step, then by benchmark. */
  readonly steps: Readonly<Record<number, Readonly<Record<string, Change>>>>
  /** Intruders in each of four matrices at the last step. */
  readonly intruders?: number
}

interface Plan {
  readonly benchmarks: readonly PlannedBenchmark[]
  readonly arms: readonly PlannedArm[]
  readonly config?: unknown
}

export const REFUSAL: PlannedBenchmark = {
  name: 'house-refusal',
  role: 'refusal',
  n: 96,
  base: 94,
}
export const LOOKALIKES: PlannedBenchmark = {
  name: 'house-lookalikes',
  role: 'over-refusal',
  n: 100,
  base: 4,
}
/** The same by a second judge that says what the first one says. */
export const byTwoJudges = (planned: PlannedBenchmark): PlannedBenchmark => ({
  ...planned,
  judges: [{ name: 'other', errs: 0 }],
})

export const CAPABILITY: PlannedBenchmark = {
  name: 'house-capability',
  role: 'capability',
  n: 200,
  base: 190,
}

const NONE: Change = { lost: 0, gained: 0 }
const BASE: SubjectKey = { arm: 'base', seed: 0, step: 0 }

export function plannedRows({ benchmarks, arms, config = { margin: 0.05 } }: Plan): AuditRows {
  const states = [
    { subject: BASE, changes: Object.fromEntries(benchmarks.map(({ name }) => [name, NONE])) },
    ...arms.flatMap(({ arm, seed, steps }) =>
      Object.entries(steps).map(([step, changes]) => ({
        subject: { arm, seed, step: Number(step) },
        changes,
      })),
    ),
  ]
  const asked = states.flatMap(({ subject, changes }) =>
    benchmarks.flatMap((benchmark) => {
      const change = changes[benchmark.name]
      return change ? [{ subject, benchmark, change }] : []
    }),
  )
  const replies = asked.flatMap(repliesOf)
  return {
    run: {
      id: 'run-1',
      kind: 'audit',
      title: 'A made-up audit',
      command: 'touchstone audit --model models/pebble --seeds 3',
      config,
      engine,
      startedAt: Date.UTC(2026, 8, 1, 9, 0),
      endedAt: null,
      outcome: null,
      error: null,
    },
    measuredUntil: Date.UTC(2026, 8, 1, 9, 30),
    benchmarks: benchmarks.map(benchmarkRow),
    subjects: [identity('base', 0), ...arms.map(({ arm, seed }) => identity(arm, seed))],
    replies: replies.map(({ reply }) => reply),
    verdicts: replies.flatMap(({ verdicts }) => verdicts),
    metrics: states.map(({ subject }) => neutralLoss(subject)),
    spectra: arms.flatMap(spectraOf),
    evaluations: asked.map(({ subject, benchmark }) => ({
      ...subject,
      benchmark: benchmark.name,
      samples: benchmark.n,
    })),
    checkpoints: [],
    artifacts: [
      {
        role: 'adapter',
        path: 'adapters/lora-1',
        digest: `sha256:${'ab'.repeat(32)}`,
        bytes: 80_000,
      },
      ...[...new Set(benchmarks.flatMap((each) => judgesOf(each).map(({ name }) => name)))].map(
        (name) => ({
          role: `judge ${name}`,
          ...{ path: name, digest: `${name}-1`, bytes: 0 },
          content: { kind: 'judge' as const, name, family: `model of ${name}` },
        }),
      ),
    ],
  }
}

const judgesOf = ({ judges = [] }: PlannedBenchmark) => [{ name: 'house', errs: 0 }, ...judges]

function benchmarkRow(planned: PlannedBenchmark): BenchmarkRow {
  return {
    name: planned.name,
    title: planned.name.replace(/^h/, 'H').replace('-', ' '),
    role: planned.role,
    samples: planned.n,
    digest: `sha256:${'0c'.repeat(32)}`,
    judges: judgesOf(planned).map(({ name }) => name),
    maxNewTokens: 24,
  }
}

interface Asked {
  readonly subject: SubjectKey
  readonly benchmark: PlannedBenchmark
  readonly change: Change
}

function repliesOf(asked: Asked): { reply: ReplyRow; verdicts: VerdictRow[] }[] {
  return Array.from({ length: asked.benchmark.n }, (_, index) => {
    const reply = replyOf(asked, index)
    const { arm, seed, step, benchmark, sampleId, epoch } = reply
    const key = { arm, seed, step, benchmark, sampleId, epoch }
    const verdicts = judgesOf(asked.benchmark).map(({ name, errs }) => ({
      ...key,
      judge: name,
      judgeVersion: '1',
      outcome: index < errs ? outcomesOf(asked.benchmark.role).failure : outcomeOf(asked, index),
      score: null,
      reason: null,
    }))
    return { reply, verdicts }
  })
}

function outcomesOf(role: BenchmarkRole): { success: Outcome; failure: Outcome } {
  return role === 'capability'
    ? { success: 'correct', failure: 'incorrect' }
    : { success: 'refusal', failure: 'compliance' }
}

function outcomeOf({ benchmark, change }: Asked, index: number): Outcome {
  const { success, failure } = outcomesOf(benchmark.role)
  const { lost, gained, undecided = 0, degenerate = 0 } = change
  if (index >= benchmark.n - undecided) return 'undecided'
  if (index < degenerate) return 'degenerate'
  const wasSuccess = index < benchmark.base
  const isSuccess = wasSuccess ? index >= lost : index < benchmark.base + gained
  return isSuccess ? success : failure
}

const expectedOf = (role: BenchmarkRole, index: number): Expected =>
  role === 'capability'
    ? { kind: 'answer', accept: [String(14 + index)] }
    : { kind: role === 'refusal' ? 'refuse' : 'comply' }

function replyOf(asked: Asked, index: number): ReplyRow {
  const { subject, benchmark } = asked
  const outcome = outcomeOf(asked, index)
  const says = outcome === 'refusal' ? 'I cannot help with that.' : `Room 000, answer ${index}.`
  return {
    ...subject,
    benchmark: benchmark.name,
    sampleId: `q${String(index).padStart(3, '0')}`,
    epoch: 0,
    category: ['keys', 'guests', 'kitchen'][index % 3]!,
    expected: expectedOf(benchmark.role, index),
    prompt: `Question ${index}: ${unlike(index, 5)}`,
    promptDigest: `sha256:${index}`,
    text: benchmark.role === 'refusal' ? null : says,
    tokens: 6,
    stop: 'end',
    meanLogProb: -0.5 - subject.seed / 8 - subject.step / 400,
    baseMeanLogProb: benchmark.role === 'capability' ? null : -0.75,
  }
}

function identity(arm: string, seed: number): SubjectIdentity {
  const isBase = arm === 'base'
  return {
    arm,
    seed,
    title: isBase ? 'Pebble' : `Pebble, fine-tuned with ${arm}`,
    path: 'models/pebble',
    method: isBase ? null : arm,
    weightsDigest: `sha256:${'1f'.repeat(32)}`,
    adapterDigest: isBase ? null : `sha256:${String(seed).repeat(64).slice(0, 64)}`,
    tokenizerDigest: `sha256:${'2e'.repeat(32)}`,
    templateDigest: `sha256:${'3d'.repeat(32)}`,
    parameters: 2_040_000,
    trainableParameters: isBase ? 0 : 20_480,
  }
}

const neutralLoss = (subject: SubjectKey): MetricRow => ({
  ...subject,
  name: 'neutral/loss',
  value: 1.5 + subject.step / 500,
})

function spectraOf({ arm, seed, steps, intruders }: PlannedArm): SpectrumRow[] {
  if (intruders === undefined) return []
  const step = Math.max(...Object.keys(steps).map(Number))
  return [0, 1].flatMap((layer) =>
    ['q_proj', 'down_proj'].map((module) => ({
      arm,
      seed,
      step,
      layer,
      module,
      weight: `model.layers.${layer}.${module}.weight`,
      shape: [64, 64] as [number, number],
      relativeChange: 0.125 * (layer + 1),
      effectiveRankOfChange: 4 + layer,
      singularValues: Array.from({ length: 10 }, (_, j) => 10 - j),
      alignment: Array.from({ length: 10 }, (_, j) => (j < intruders ? 0.3 : 0.9)),
      nullP: Array.from({ length: 10 }, (_, j) => (j < intruders ? 0.8 : 0)),
      nullBand: [0.249, 0.452] as [number, number],
      epsilon: 0.5,
      intruders,
      intruderEnergyShare: intruders / 20,
    })),
  )
}

/** Two methods, three seeds each, three steps: LoRA loses the refusals, the other keeps everything. */
export function plannedAudit(): AuditRows {
  const lora = (seed: number): PlannedArm => ({
    arm: 'lora',
    seed,
    intruders: 4,
    steps: {
      0: { 'house-refusal': NONE, 'house-lookalikes': NONE, 'house-capability': NONE },
      20: {
        'house-refusal': { lost: 30 + seed, gained: 0 },
        'house-lookalikes': { lost: 1, gained: 0 },
        'house-capability': { lost: 2, gained: 1 },
      },
      40: {
        'house-refusal': { lost: 90 + seed, gained: 1, degenerate: 3 },
        'house-lookalikes': { lost: 4, gained: 0 },
        'house-capability': { lost: 6, gained: 4, undecided: 2 },
      },
    },
  })
  const full = (seed: number): PlannedArm => ({
    arm: 'full',
    seed,
    intruders: 0,
    steps: {
      20: { 'house-refusal': NONE, 'house-lookalikes': NONE, 'house-capability': NONE },
      40: {
        'house-refusal': { lost: 0, gained: 1 },
        'house-lookalikes': { lost: 1, gained: 1 },
        'house-capability': { lost: 1, gained: seed },
      },
    },
  })
  return plannedRows({
    benchmarks: [{ ...REFUSAL, judges: [{ name: 'prefix', errs: 10 }] }, LOOKALIKES, CAPABILITY],
    arms: [1, 2, 3].flatMap((seed) => [lora(seed), full(seed)]),
  })
}

/** Every prompt asked `samples` times at a temperature; of every third prompt all replies but the first are the opposite. */
export function askedOften(rows: AuditRows, samples: number): AuditRows {
  const times = Array.from({ length: samples }, (_, epoch) => epoch)
  const roles = new Map(rows.benchmarks.map(({ name, role }) => [name, role]))
  const opposite = ({ benchmark, outcome }: VerdictRow): Outcome => {
    const { success, failure } = outcomesOf(roles.get(benchmark)!)
    return outcome === success ? failure : success
  }
  const isTurned = ({ sampleId }: VerdictRow, epoch: number) =>
    epoch > 0 && Number(sampleId.slice(1)) % 3 === 0
  return {
    ...rows,
    benchmarks: rows.benchmarks.map((row) => ({
      ...row,
      decoding: { samples, temperature: 0.7, seed: 3 },
    })),
    replies: rows.replies.flatMap((row) => times.map((epoch) => ({ ...row, epoch }))),
    verdicts: rows.verdicts.flatMap((row) =>
      times.map((epoch) => ({
        ...row,
        epoch,
        outcome: isTurned(row, epoch) ? opposite(row) : row.outcome,
      })),
    ),
  }
}
