/** @file A progress bar with the time left, redrawn in place on a terminal. */
import { reduceJob, type JobState } from '../../contract/job-state.ts'
import type { Sink } from '../../contract/job.ts'
import { lineOf, progressText } from './lines.ts'

/** A terminal as far as a bar needs one. */
interface Terminal {
  write(text: string): unknown
  readonly columns?: number
}

const REDRAW_MS = 100
const WIDTH = 24
const CLEAR_LINE = '\r\u001b[2K'

export function createBarReporter(terminal: Terminal): Sink {
  let state: JobState | undefined
  let drawnAt = 0
  let isDrawn = false

  const erase = () => {
    if (isDrawn) terminal.write(CLEAR_LINE)
    isDrawn = false
  }
  const draw = (current: JobState) => {
    const line = barLine(current, (terminal.columns ?? 80) - 1)
    if (line === undefined) return
    terminal.write(`${CLEAR_LINE}${line}`)
    isDrawn = true
    drawnAt = current.at
  }
  return {
    event(event) {
      const before = state
      state = reduceJob(state, event)
      // A phase's start is what the bar shows anyway; its end stays as a line.
      const line = event.type === 'phase-start' ? undefined : lineOf(event, before)
      if (line !== undefined) {
        erase()
        terminal.write(`${line}\n`)
        return draw(state)
      }
      const isDue = event.type === 'phase-start' || event.at - drawnAt >= REDRAW_MS
      if (isDue) draw(state)
    },
    close: erase,
  }
}

/** The innermost phase as one line of at most `width` characters; absent between phases. */
function barLine(state: JobState, width: number): string | undefined {
  const phase = state.phases.at(-1)
  if (!phase) return undefined
  const text = progressText(phase, state.at)
  const line = phase.total ? `${bar(phase.done / phase.total)} ${text}` : text
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line
}

function bar(share: number): string {
  const filled = Math.round(WIDTH * Math.min(1, Math.max(0, share)))
  return `${'━'.repeat(filled)}${'─'.repeat(WIDTH - filled)}`
}
