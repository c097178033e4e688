/** @file Plain lines, for logs and for terminals that cannot redraw: each phase's start, its tenths, its end. */
import type { JobEvent } from '../../contract/events.ts'
import { noticeOf } from '../../contract/notices.ts'
import { reduceJob, type JobState, type PhaseState } from '../../contract/job-state.ts'
import type { Sink } from '../../contract/job.ts'
import { duration, plainText } from '../../document/plain-text.ts'

/** A phase without a known total speaks at most this often; one with a total at its tenths, but not more often than `SOON_MS`. */
const QUIET_MS = 10_000
const SOON_MS = 3_000

export function createLinesReporter(write: (text: string) => void): Sink {
  let state: JobState | undefined
  let spokeAt = 0
  let tenths = 0
  return {
    event(event) {
      const before = state
      state = reduceJob(state, event)
      if (event.type === 'phase-start') {
        spokeAt = event.at
        tenths = 0
      }
      if (event.type === 'phase-progress') {
        const phase = state.phases.find(({ name }) => name === event.phase)
        if (!phase) return
        const reached = phase.total ? Math.floor((10 * phase.done) / phase.total) : tenths
        const waited = event.at - spokeAt
        const isDue = phase.total ? reached > tenths && waited >= SOON_MS : waited >= QUIET_MS
        if (!isDue || phase.done === phase.total) return
        tenths = reached
        spokeAt = event.at
        return write(`  ${progressText(phase, event.at)}\n`)
      }
      const line = lineOf(event, before)
      if (line !== undefined) write(`${line}\n`)
    },
  }
}

/** "train: 40/120 steps, 2 min 5 s left". */
export function progressText(phase: PhaseState, at: number): string {
  const { name, unit, done, total } = phase
  const count = total === undefined ? `${done}` : `${done}/${total}`
  const left = timeLeft(phase, at)
  return `${plainText(name)}: ${count} ${plural(unit, total ?? done)}${left === undefined ? '' : `, ${duration(left)} left`}`
}

/** Milliseconds, from the phase's mean rate so far; absent until something was done. */
export function timeLeft({ done, total, startedAt }: PhaseState, at: number): number | undefined {
  if (total === undefined || done <= 0 || done >= total) return undefined
  return ((at - startedAt) / done) * (total - done)
}

/** What is said of an event for good, that is, on a line that is never overwritten. */
export function lineOf(event: JobEvent, before: JobState | undefined): string | undefined {
  switch (event.type) {
    case 'job-start':
      return plainText(event.title)
    case 'job-resume':
      return 'Resumed.'
    case 'phase-start': {
      const size =
        event.total === undefined ? '' : ` (${event.total} ${plural(event.unit, event.total)})`
      return `${plainText(event.phase)}${size}`
    }
    case 'phase-end': {
      const phase = before?.phases.find(({ name }) => name === event.phase)
      return phase && `${plainText(phase.name)}: done in ${duration(event.at - phase.startedAt)}`
    }
    case 'job-end':
      return endLine(event)
    default: {
      const notice = noticeOf(event)
      return notice && notice.level !== 'debug' ? plainText(notice.message) : undefined
    }
  }
}

function endLine({ outcome, error }: JobEvent & { type: 'job-end' }): string {
  if (!error) return outcome === 'done' ? 'Done.' : 'Cancelled; --resume goes on from here.'
  return `${plainText(error.message)}\n${plainText(error.remedy)}`
}

const plural = (unit: string, count: number) => {
  if (count === 1) return unit
  return unit === 'matrix' ? 'matrices' : `${unit}s`
}
