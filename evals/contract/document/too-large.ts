/** @file That work does not fit into this machine's memory, and with which flags it would, in the words of every place that says so. */
import type { FittingFlags, TooLarge } from '../job.ts'

export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`

/** Followed by the flags, where there are any. */
export function tooLargeSentence({ freeBytes, fitting, least }: TooLarge): string {
  const free = `It does not fit here: ${gibibytes(freeBytes)} are free.`
  if (fitting.length > 0) return `${free} It would fit with:`
  if (!least) return `${free} No setting would make it fit.`
  return `${free} No setting would make it fit; with ${least.flags} it takes about ${gibibytes(least.bytes)}.`
}

/** In one line. */
export function tooLargeText(found: TooLarge): string {
  const flags = found.fitting.map((each) => `${each.flags} (about ${gibibytes(each.bytes)})`)
  return flags.length === 0
    ? tooLargeSentence(found)
    : `${tooLargeSentence(found)} ${flags.join(', or ')}.`
}

/** A line for each choice of flags. */
export function fittingLines(fitting: readonly FittingFlags[]): string[] {
  const widest = Math.max(0, ...fitting.map(({ flags }) => flags.length))
  return fitting.map(({ flags, bytes }) => `  ${flags.padEnd(widest)}  about ${gibibytes(bytes)}`)
}
