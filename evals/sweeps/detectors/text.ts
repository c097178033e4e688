/** @file What a report says of a loss rebound and of a peak: one paragraph each, with its numbers and its doubt. */
import type { PeakFinding, PeakFound } from './peak.ts'
import type { Rebound } from './rebound.ts'

const NOT_DOUBLE_DESCENT =
  'This is a training-loss instability, not the test-error phenomenon that double descent means elsewhere.'

/** Three significant digits, without an exponent where that is readable. */
const digits = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(3)))
const percent = (share: number): string => `${Math.round(100 * share)} %`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** One run. Steps count from 1. */
export function reboundText({ label, rebound, recovery, turns, notFinite }: Rebound): string {
  if (notFinite !== null) {
    return `The training loss stopped being a finite number at step ${notFinite + 1}: divergence. ${NOT_DOUBLE_DESCENT}`
  }
  if (!turns) return 'The smoothed training loss never rose.'
  if (label === 'none') {
    return `No loss rebound: the smoothed training loss rose again by at most ${percent(rebound!)} of what it had fallen (a rebound begins at 10 %).`
  }
  const { t1, t2, t3 } = turns
  const share = Number.isFinite(rebound)
    ? `${percent(rebound!)} of what it had fallen`
    : 'all of it'
  const end = `${percent(recovery!)} of the rise was lost again by step ${t3.place + 1}`
  const name = label === 'double_descent' ? 'a rebound that recovers' : 'a rebound that stays'
  return (
    `The smoothed training loss rose from ${digits(t1.loss)} at step ${t1.place + 1} to ${digits(t2.loss)} at step ${t2.place + 1}, ` +
    `${share}; ${end}: ${name}. ${NOT_DOUBLE_DESCENT}`
  )
}

/** Several runs of one setting, one a seed. */
export function reboundsText(all: readonly Rebound[]): string {
  if (all.length === 0) return 'There are no runs to look for a loss rebound in.'
  const rebounds = all.filter(({ isRebound }) => isRebound)
  if (rebounds.length === 0) return `No loss rebound in any of ${all.length} runs.`
  const recovered = all.filter(({ label }) => label === 'double_descent').length
  const sizes = rebounds.map(({ rebound }) => rebound ?? Infinity).sort((a, b) => a - b)
  const size = (value: number) => (Number.isFinite(value) ? percent(value) : 'beyond measure')
  const range =
    sizes.length === 1
      ? size(sizes[0]!)
      : `from ${size(sizes[0]!)} to ${size(sizes.at(-1)!)} of what the loss had fallen`
  return (
    `Loss rebound in ${rebounds.length} of ${all.length} runs (${range}); ${recovered} recovered, ` +
    `${rebounds.length - recovered} did not. ${NOT_DOUBLE_DESCENT}`
  )
}

export interface PeakWords {
  /** What is measured, as in 'test error'. */
  readonly quantity: string
  /** What it is held against, as in 'rank'. */
  readonly axis: string
}

export function peakText(finding: PeakFinding, words: PeakWords): string {
  const { verdict, shape, p, found } = finding
  const dropped = droppedText(finding, words.axis)
  if (p === null) return `${openingOf(finding, words)}${dropped}`
  const test = `${pText(p)} for a curve without an inner ${shape} (${finding.seeds} seeds, ${finding.places} values of ${words.axis}; α = ${percent(finding.α)}).`
  if (verdict === 'peak' && found) {
    return `${capital(words.quantity)} has an inner ${shape} at ${words.axis} ${placeText(found)}, ${heightText(finding, found)}, in ${found.seedsWithPeak} of ${found.seedsAsked} seeds. ${test}${dropped}`
  }
  return `${openingOf(finding, words)} ${test} ${powerText(finding)}${dropped}`
}

function openingOf({ verdict, shape, reason }: PeakFinding, { quantity, axis }: PeakWords) {
  return verdict === 'cannot tell'
    ? `This sweep cannot tell whether ${quantity} has an inner ${shape} over ${axis}: ${reason}.`
    : `No inner ${shape} of ${quantity} over ${axis} was seen.`
}

const pText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`)

const placeText = ({ x, lower, upper }: PeakFound): string =>
  `${digits(x)} (95 % interval over seeds ${digits(lower)} to ${digits(upper)})`

/** Against the side that it stands out less from. */
function heightText({ scale, shape }: PeakFinding, { height, heightInSds }: PeakFound): string {
  const side = shape === 'peak' ? 'above the lowest mean' : 'below the highest mean'
  const amount =
    scale === 'log'
      ? `by a factor of ${digits(Math.exp(height))} ${side}`
      : `${digits(height)} ${side}`
  return `${amount} of its less different side (${digits(heightInSds)} standard deviations between seeds)`
}

function powerText({ power, shape }: PeakFinding): string {
  const each = power.map(
    ({ height, power: chance }) =>
      `${percent(chance)} for ${height} standard ${height === 1 ? 'deviation' : 'deviations'}`,
  )
  return `The chance to find a ${shape}, by its height: ${each.join(', ')}.`
}

function droppedText({ droppedCells, droppedPlaces }: PeakFinding, axis: string): string {
  if (droppedCells === 0) return ''
  const cells = `${droppedCells} ${droppedCells === 1 ? 'cell' : 'cells'} without a usable value`
  if (droppedPlaces.length === 0) return ` Left out: ${cells}.`
  return ` Left out: ${cells}; with them ${axis} ${droppedPlaces.map(digits).join(', ')}, where fewer than three seeds remained.`
}
