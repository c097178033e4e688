/** @file `--dry-run`: what would be done, how often, and how long where that can be told. */
import type { PlanLine, TooLarge } from '../contract/job.ts'
import { fittingLines, gibibytes, tooLargeSentence } from '../contract/document/too-large.ts'
import { duration, plainText } from './plain-text.ts'

export function planText(lines: readonly PlanLine[]): string {
  const rows = lines.map(({ what, count, unit, seconds }) => {
    const amount = `${count} ${plural(unit, count)}`
    const time = seconds === null ? '' : `  about ${duration(1000 * seconds)}`
    return `  ${amount.padEnd(16)}  ${plainText(what)}${time}\n`
  })
  return `Nothing was run or written. The plan:\n${rows.join('')}${totalText(lines)}${memoryText(lines)}\n`
}

/** Null where no line says: of work side by side the largest counts. */
export function peakMemory(lines: readonly PlanLine[]): number | null {
  const told = lines.flatMap(({ bytes }) => bytes ?? [])
  return told.length === 0 ? null : Math.max(...told)
}

function memoryText(lines: readonly PlanLine[]): string {
  const bytes = peakMemory(lines)
  if (bytes === null) return ''
  const found = tooLargeIn(lines)
  const more = found ? [` ${tooLargeSentence(found)}`, ...fittingLines(found.fitting)] : []
  return ` About ${gibibytes(bytes)} of memory at the peak.${more.join('\n')}`
}

/** Undefined where it fits, or where nothing says. */
export const tooLargeIn = (lines: readonly PlanLine[]): TooLarge | undefined =>
  lines.flatMap(({ tooLarge }) => tooLarge ?? [])[0]

/** Null where a line of work has no estimate: a sum that leaves lines out would say too little. */
export function totalSeconds(lines: readonly PlanLine[]): number | null {
  return lines
    .filter(({ power }) => !power)
    .reduce<number | null>(
      (sum, { seconds }) => (sum === null || seconds === null ? null : sum + seconds),
      0,
    )
}

function totalText(lines: readonly PlanLine[]): string {
  const seconds = totalSeconds(lines)
  return seconds === null
    ? 'How long it takes shows once it runs: the progress line says the time that is left.'
    : `About ${duration(1000 * seconds)} in all.`
}

const plural = (unit: PlanLine['unit'], count: number) => {
  if (count === 1) return unit
  return unit === 'matrix' ? 'matrices' : `${unit}s`
}
