/** @file The one fold from events to what a bar or a window shows, so that no two readers can disagree. */
import type { JobEvent, WireError } from './events.ts'

export interface PhaseState {
  readonly name: string
  readonly unit: string
  readonly done: number
  /** Absent where nobody can know how much there is. */
  readonly total?: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export interface JobState {
  readonly runId: string
  /** Of the last event seen; a reader that sees a gap asks the store for what is missing. */
  readonly seq: number
  readonly kind: string
  readonly title: string
  readonly status: 'running' | 'done' | 'cancelled' | 'failed'
  /** Outermost first; what is going on right now is the last. */
  readonly phases: readonly PhaseState[]
  readonly startedAt: number
  /** When the last event was emitted. */
  readonly at: number
  readonly error?: WireError
}

/** The state after `event`. Begins from `undefined`; an event that was seen before changes nothing. */
export function reduceJob(state: JobState | undefined, event: JobEvent): JobState {
  const before = state ?? unstarted(event)
  if (event.seq <= before.seq) return before
  const next = { ...before, seq: event.seq, at: event.at }
  switch (event.type) {
    case 'job-start':
      return { ...next, kind: event.kind, title: event.title, startedAt: event.at }
    case 'job-resume':
      return { ...next, status: 'running', phases: [], error: undefined }
    case 'phase-start':
      return { ...next, phases: [...open(next, event.phase), started(event)] }
    case 'phase-progress':
      return { ...next, phases: next.phases.map((phase) => advanced(phase, event)) }
    case 'phase-end':
      return { ...next, phases: open(next, event.phase) }
    case 'job-end':
      return { ...next, status: event.outcome, phases: [], error: event.error }
    default:
      return next
  }
}

function unstarted({ runId, at }: JobEvent): JobState {
  return { runId, seq: 0, kind: '', title: '', status: 'running', phases: [], startedAt: at, at }
}

const open = (state: JobState, name: string) => state.phases.filter((phase) => phase.name !== name)

function started(event: JobEvent & { type: 'phase-start' }): PhaseState {
  const { phase: name, unit, total, at: startedAt } = event
  return { name, unit, done: 0, ...(total === undefined ? {} : { total }), startedAt }
}

function advanced(phase: PhaseState, event: JobEvent & { type: 'phase-progress' }): PhaseState {
  return phase.name === event.phase ? { ...phase, done: event.done } : phase
}
