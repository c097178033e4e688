/** @file A run's rows against the gate of its configuration, and its trainings step by step. */
import { z } from 'zod'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { ChangePointRow, GateResult } from '../contract/gate.ts'
import { askedByBisection } from '../contract/gate/steps.ts'
import { keyOf, stateKey, isSameState, firstJudge } from '../contract/keys.ts'
import { adviceFor, type Known } from './gate/advice.ts'
import type { ComparedRun } from './gate/compared-run.ts'
import { decide, defaultGate } from './gate/decide.ts'
import { storedPlan } from './gate/frozen/under-plan.ts'
import { storedGate } from './gate/gate-file.ts'
import { judgedStates } from './contesting.ts'
import { noiseIn } from './gate/served/noise.ts'
import { lastStates } from './gate/stored-run.ts'
import { changePoints } from './gate/trajectory.ts'
import { heldTo } from './held-plan.ts'
import { type Measured } from './judged.ts'
import { pinnedIn } from './pinned.ts'

interface Trajectory {
  readonly states: readonly ComparedRun[]
  readonly judges: ReadonlyMap<string, string>
  readonly changePoints: ChangePointRow[]
}

export function trajectoryOf(rows: AuditRows): Trajectory {
  const states = judgedStates(rows, rows.run.id)
  const plain = rows.benchmarks.filter(({ context }) => !context)
  const judges = new Map(plain.map((row) => [row.name, firstJudge(row)]))
  return { states, judges, changePoints: changePoints(states, judges) }
}

/** By the run's own gate or, with its margin, the default one; null without a base and something to compare with it. */
export function gateOf(
  rows: AuditRows,
  measured: Measured,
  { states, judges, margin }: Omit<Trajectory, 'changePoints'> & { readonly margin: number },
): GateResult | null {
  const given = storedGate(rows.run.config)
  const held = storedPlan(rows.run.config)
  const before = states.find(({ arm }) => arm === 'base')
  const afters = lastStates(states).filter(({ arm }) => arm !== 'base')
  if (!before || afters.length === 0) return null
  const against = [...afters, ...unmeasuredStates(rows, before, states)].map((after) => ({
    before,
    after,
  }))
  const reference = given?.reference && pinnedIn(rows, given.reference.run)
  const decision = decide(given ?? defaultGate(margin), {
    against,
    steps: states,
    judges,
    bisected: askedByBisection(rows.run.config),
    reference,
    looked: rows.looked,
    trainedOn: WithData.safeParse(rows.run.config).data?.data,
    under: held && heldTo(held, rows),
  })
  const isDefault = given === undefined
  const noise = noiseIn(rows)
  const advice = adviceFor(decision, knownOf(rows, measured))
  return { ...decision, isDefault, ...(noise && { noise }), advice }
}

/** Fine-tunes, told or planned, of which no state was measured: what is not known of one is no PASS of the run. */
export function unmeasuredStates(
  { subjects, run, planned = [] }: AuditRows,
  before: ComparedRun,
  states: readonly ComparedRun[],
): ComparedRun[] {
  const measured = new Set(states.map(({ arm, seed }) => keyOf(arm, seed)))
  const why = WHY_NOT[run.outcome ?? 'running']
  const told = new Set(subjects.map(({ arm, seed }) => keyOf(arm, seed)))
  const untold = planned.filter(({ arm, seed }) => !told.has(keyOf(arm, seed)))
  return [...subjects, ...untold.map((state) => ({ ...state, title: state.arm }))]
    .filter(({ arm, seed }) => arm !== 'base' && !measured.has(keyOf(arm, seed)))
    .map(({ arm, seed, title }) => ({
      ...before,
      ...{ arm, seed, title, step: 0, unmeasured: why, benchmarks: [], judged: [], labels: [] },
    }))
}

const WHY_NOT = {
  running: 'the run has not come to it yet, or was stopped before',
  cancelled: 'the run was cancelled before',
  failed: 'the run failed before',
  done: 'the run has no finished evaluation of it',
} as const

const WithData = z.object({ data: z.string() })
const Trained = z.object({
  methods: z.array(z.unknown()).min(1),
  training: z.object({ steps: z.int().min(1) }),
})

function knownOf(
  { run, measuredUntil, artifacts, subjects }: AuditRows,
  measured: Measured,
): Known {
  const trained = Trained.safeParse(run.config)
  const { evaluations, spectrumTotals, benchmarks } = measured
  const judges = new Map(benchmarks.map((row) => [row.name, firstJudge(row)]))
  const states = new Set(evaluations.map(stateKey))
  const trainings = new Set(
    evaluations.filter(({ step }) => step > 0).map(({ arm, seed }) => keyOf(arm, seed)),
  )
  const rows = artifacts.flatMap(({ content }) =>
    content?.kind === 'training-data' ? content.rows : [],
  )
  return {
    run: run.id,
    hasWeights: subjects.every(({ served }) => served === undefined),
    states: states.size,
    trainings: trainings.size,
    rows: rows[0] ?? null,
    seconds: measuredUntil > run.startedAt ? (measuredUntil - run.startedAt) / 1000 : null,
    steps: trained.success ? trained.data.training.steps : null,
    rateAt: (state, benchmark) =>
      evaluations
        .filter(isSameState(state))
        .find((row) => row.benchmark === benchmark && row.judge === judges.get(benchmark))?.rate
        .estimate ?? null,
    intruders: spectrumTotals.reduce((sum, { intruders }) => sum + intruders, 0),
  }
}
