/**
 * @file How far a whole run is, and how long it still takes: what its plan counts, less what its phases have done. Work of a
 * kind goes on as fast as it went so far; of a kind that has not begun, as fast as the plan says.
 */
import type { JobPlan } from '../../evals/contract/calls/jobs.ts'

/** A phase that has ended, or is open: how much of it is done, from when to when in milliseconds since 1970. */
export interface ToldPhase {
  readonly unit: string
  readonly done: number
  readonly startedAt: number
  readonly at: number
}

export interface WholeRun {
  /** Of its time, from 0 to 1. */
  readonly share: number
  readonly secondsLeft: number
  /** Units of parts that are counted in neither, as nothing tells their time yet; absent where there are none. */
  readonly untimed?: readonly string[]
}

/** What plans call a prompt is a sample to the phase that asks it. */
const AS_PLANNED: Readonly<Record<string, string>> = { sample: 'prompt' }

/** Shorter than this says nothing about speed. */
const LEAST_SECONDS = 1

/** Undefined while the time of no part can be told. */
export function wholeRun(
  lines: JobPlan['lines'],
  phases: readonly ToldPhase[],
): WholeRun | undefined {
  const parts = [...Map.groupBy(lines, ({ unit }) => unit)].map(([unit, own]) => {
    const told = phases.filter((phase) => (AS_PLANNED[phase.unit] ?? phase.unit) === unit)
    return { unit, part: partOf(own, told) }
  })
  const known = parts.flatMap(({ part }) => part ?? [])
  if (known.length === 0) return undefined
  const untimed = parts.flatMap(({ unit, part }) => (part ? [] : unit))
  const all = known.reduce((sum, { planned, pace }) => sum + planned * pace, 0)
  const secondsLeft = known.reduce(
    (sum, { planned, done, pace }) => sum + (planned - done) * pace,
    0,
  )
  const share = all === 0 ? 1 : (all - secondsLeft) / all
  return { share, secondsLeft, ...(untimed.length > 0 && { untimed }) }
}

interface Part {
  readonly planned: number
  readonly done: number
  /** Seconds for one. */
  readonly pace: number
}

function partOf(lines: JobPlan['lines'], phases: readonly ToldPhase[]): Part | undefined {
  const planned = lines.reduce((sum, { count }) => sum + count, 0)
  const told = phases.reduce((sum, { done }) => sum + done, 0)
  const spent = phases.reduce((sum, { startedAt, at }) => sum + (at - startedAt) / 1000, 0)
  const done = Math.min(planned, told)
  if (told > 0 && spent >= LEAST_SECONDS) return { planned, done, pace: spent / told }
  if (planned === 0) return { planned, done, pace: 0 }
  const expected = lines.reduce<number | null>(
    (sum, { seconds }) => (sum === null || seconds === null ? null : sum + seconds),
    0,
  )
  return expected === null ? undefined : { planned, done, pace: expected / planned }
}
