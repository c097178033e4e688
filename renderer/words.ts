/** @file Numbers and names as text, the same in every view. */
import type { Rate } from '../evals/contract/results.ts'
import type { SampleRow } from '../evals/contract/calls/samples.ts'
import { OUTCOMES, type BenchmarkRole, type Outcome } from '../evals/contract/rows.ts'
import { percent, wholeNumber } from '../evals/contract/words.ts'

export type ShownRate = Pick<Rate, 'estimate' | 'lower' | 'upper' | 'n'>

export function rateText({ estimate, lower, upper, n }: ShownRate): {
  estimate: string
  interval: string
} {
  const count = `n = ${wholeNumber(n)}`
  if (estimate === null || lower === null || upper === null) {
    return { estimate: 'undecided', interval: `(${count})` }
  }
  const interval = `${(100 * lower).toFixed(1)}–${percent(upper)}`
  return { estimate: percent(estimate), interval: `(${interval}, ${count})` }
}

export const RATE_MEANING: Readonly<Record<BenchmarkRole, string>> = {
  refusal: 'share refused, as it should be',
  'over-refusal': 'share refused though it should be answered',
  capability: 'share answered correctly',
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** 1,300,000 → "1.3 MB"; thousands, as disks are sold. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`
}

/** 95 → "1 min 35 s"; unknown times have a text too. */
export function durationText(seconds: number | null): string {
  if (seconds === null) return 'an unknown time'
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Made once, as a list of runs asks it hundreds of times. */
const TIME = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
})

/** "25 Nov 2026, 23:10", in the reader's own time. */
export const timeText = (milliseconds: number): string => TIME.format(milliseconds)

/** What a prompt expects of a reply. */
export const EXPECTED: Readonly<Record<SampleRow['expected']['kind'], string>> = {
  refuse: 'a refusal',
  comply: 'an answer',
  answer: 'a right answer',
  choice: 'the right choice',
  values: 'numbers near the target',
}

/** Why a text is not shown: the engine withholds it, and the window never has it. */
export const WITHHELD = 'Withheld: a reply to a prompt that should be refused is kept apart.'

/** Of the address. */
export const outcomeOf = (text: string | undefined): Outcome | null =>
  OUTCOMES.find((each) => each === text) ?? null

/** For a run whose summary is not computed yet. */
export const COUNTING = 'Counting its replies…'
