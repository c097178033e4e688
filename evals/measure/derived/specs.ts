/**
 * @file Candidates that are made of the base or of adapters, as they are written: `compress:nf4`, `merge:svd:A+B@0.25`,
 * `generate:mean:TASKS@DATA`. They stand among the candidates by these names, and are made when they are opened.
 */
import { GENERATED } from '../../contract/subjects/generated.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { tasksIn } from './generated-tasks.ts'

interface Asked {
  readonly candidates: readonly string[]
  readonly compress?: readonly string[]
  readonly merge?: readonly string[]
  readonly generate?: readonly string[]
}

/** Every candidate of a job: those that are named by a path, then the compressed, the merged and the generated ones. */
export const candidatesOf = ({
  candidates,
  compress = [],
  merge = [],
  generate = [],
}: Asked): string[] => [
  ...candidates,
  ...compress.map((name) => `compress:${name}`),
  ...merge.flatMap(lineOf).map((point) => `merge:${point}`),
  ...generate.flatMap(controlledIn).map((own) => `generate:${own}`),
]

/** `TASKS@DATA` → what is generated and its controls. */
function controlledIn(asked: string): string[] {
  if (!generatedIn(`mean:${asked}`)) {
    throw usageError(
      `--generate ${asked} does not say what for.`,
      'Write TASKS@DATA: a file of tasks with their adapters, and data whose prompts stand for the wanted task.',
    )
  }
  return GENERATED.map((kind) => `${kind}:${asked}`)
}

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

/** KIND:TASKS@DATA. */
const MADE = /^(?<kind>[^:]+):(?<tasks>[^@]+)@(?<wanted>.+)$/u

export const generatedIn = (text: string) => MADE.exec(text)?.groups

const afterKind = (candidate: string, kind: string) =>
  candidate.startsWith(`${kind}:`) ? candidate.slice(kind.length + 1) : ''

/** The folders of which a candidate is made: itself, the adapters that it merges, or those that a generator learns from. */
export async function sourcesIn(candidate: string): Promise<string[]> {
  const { a, b } = pointIn(afterKind(candidate, 'merge')) ?? {}
  if (a !== undefined && b !== undefined) return [a, b]
  const { tasks: file } = generatedIn(afterKind(candidate, 'generate')) ?? {}
  if (file === undefined) return [candidate]
  const { tasks } = await tasksIn(file)
  return tasks.flatMap(({ adapters }) => adapters)
}
