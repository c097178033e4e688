/** @file The result of the test for a peak as one paragraph, with its numbers and its uncertainty. */
import { counted } from '../../contract/words.ts'
import type { PeakFinding, PeakFound } from './peak.ts'

/** Three significant digits, without an exponent where that is readable. */
const digits = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(3)))
const percent = (share: number): string => `${Math.round(100 * share)} %`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

interface PeakWords {
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

/** Height above the side from which the place differs less. */
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
      `${percent(chance)} for ${counted(height, 'standard deviation')}`,
  )
  return `The chance to find a ${shape}, by its height: ${each.join(', ')}.`
}

function droppedText({ droppedCells, droppedPlaces }: PeakFinding, axis: string): string {
  if (droppedCells === 0) return ''
  const cells = `${counted(droppedCells, 'cell')} without a usable value`
  if (droppedPlaces.length === 0) return ` Left out: ${cells}.`
  return ` Left out: ${cells}; with them ${axis} ${droppedPlaces.map(digits).join(', ')}, where fewer than three seeds remained.`
}
