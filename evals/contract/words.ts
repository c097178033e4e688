/** @file Numbers and names as text, the same in every output: 97.9 %, −94.8 points, p < 1e-9, "lora, seed 3". */
import type { SubjectKey } from './rows.ts'

export const MINUS = '\u2212'

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** A change of a share in percentage points, always with its sign: −94.8, +0.0 is "0.0". */
export function signedPoints(change: number): string {
  const text = Math.abs(100 * change).toFixed(1)
  if (Number(text) === 0) return text
  return `${change < 0 ? MINUS : '+'}${text}`
}

/** A change of a loss, always with its sign: −0.106. */
export const signedNats = (nats: number): string =>
  `${nats < 0 ? MINUS : '+'}${Math.abs(nats).toFixed(3)}`

/** Without a sign: 5 points, 2.1 points. */
export function points(share: number): string {
  return `${Number((100 * share).toFixed(1))} points`
}

export function pValueText(p: number): string {
  if (p < 1e-9) return 'p < 1e-9'
  return `p = ${p < 0.001 ? p.toExponential(1) : p.toFixed(3)}`
}

/** Spaces between a number and its unit, and around the sign between a quantity's name and its number. */
const INNER_SPACES =
  /(?<=\d) (?=(?:%|points)(?!\p{L}))|(?<=\p{L}\)?) (?=[=<>≤≥≈] [−+]?\d)|(?<=\p{L}\)? [=<>≤≥≈]) (?=[−+]?\d)/gu

/** "5 %" and "p = 1.0e-4" stay on one line: their spaces do not break, and nothing else is another character. For pages. */
export const together = (text: string): string => text.replaceAll(INNER_SPACES, '\u00a0')

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`
}

/** From the least to the greatest: "4 to 8", "4". */
export function countRange(counts: readonly number[]): string {
  const [low, high] = [Math.min(...counts), Math.max(...counts)]
  return low === high ? `${low}` : `${low} to ${high}`
}

/** "lora, seed 3" */
export const stateName = ({ arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>): string =>
  arm === 'base' ? 'base' : `${arm}, seed ${seed}`

/** Inside a sentence: "lora (seed 3)", with a step "lora (seed 3, step 40)". */
export function stateInSentence({
  arm,
  seed,
  step,
}: Pick<SubjectKey, 'arm' | 'seed'> & { readonly step?: number }): string {
  if (arm === 'base') return 'base'
  return step === undefined ? `${arm} (seed ${seed})` : `${arm} (seed ${seed}, step ${step})`
}

/** 1,300,000 */
export const wholeNumber = (value: number): string => value.toLocaleString('en')

/** The first twelve hexadecimal digits, without the kind: "0123456789ab…". */
export function shortDigest(digest: string): string {
  const hex = digest.slice(digest.indexOf(':') + 1)
  return hex.length > 12 ? `${hex.slice(0, 12)}…` : hex
}

/** Of files and folders that were open to other users. */
export const closedText = (paths: readonly string[]): string =>
  `Other users could read ${paths.join(', ')}; now only you can, because withheld replies are kept there.`
