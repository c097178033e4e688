/**
 * @file Candidates that are made of the base or of adapters, as they are written: `compress:nf4`, `merge:svd:A+B@0.25`. They stand
 * among the candidates by these names, and are made when they are opened.
 */
import { usageError } from '../../errors/touchstone-error.ts'

interface Asked {
  readonly candidates: readonly string[]
  readonly compress?: readonly string[]
  readonly merge?: readonly string[]
}

/** Every candidate of a job: those that are named by a path, then the compressed and the merged ones. */
export const candidatesOf = ({ candidates, compress = [], merge = [] }: Asked): string[] => [
  ...candidates,
  ...compress.map((name) => `compress:${name}`),
  ...merge.flatMap(lineOf).map((point) => `merge:${point}`),
]

/** `svd:A+B@0,0.5,1` → one point a weight. */
function lineOf(line: string): string[] {
  const at = line.lastIndexOf('@')
  if (at < 0) {
    throw usageError(
      `--merge ${line} names no weight.`,
      'Write WAY:A+B@0,0.25,0.5,0.75,1: each number is the weight of B, the rest is A’s.',
    )
  }
  return line
    .slice(at + 1)
    .split(',')
    .map((weight) => `${line.slice(0, at)}@${weight}`)
}

/** WAY:A+B@w. */
const POINT = /^(?<way>[^:]+):(?<a>[^+]+)\+(?<b>[^+]+)@(?<weight>[^@]+)$/u

export const pointIn = (text: string) => POINT.exec(text)?.groups

/** The folders of which a candidate is made: itself, or the adapters that it merges. */
export function sourcesIn(candidate: string): string[] {
  const { a, b } = (candidate.startsWith('merge:') && pointIn(candidate.slice(6))) || {}
  return a !== undefined && b !== undefined ? [a, b] : [candidate]
}
