/** @file Keys of stored rows, and selections of rows by model state. */
import type { BenchmarkRow, ReplyKey, SubjectKey } from './rows.ts'

/** A composite key: the parts, joined so that different parts give different keys. */
export function keyOf(...parts: readonly (string | number)[]): string {
  let key = String(parts[0] ?? '')
  // Not by join: a run has hundreds of thousands of them.
  for (let i = 1; i < parts.length; i++) key += `\u0000${parts[i]}`
  return key
}
export const stateKey = ({ arm, seed, step }: SubjectKey): string => keyOf(arm, seed, step)
export const replyKey = (row: ReplyKey): string =>
  keyOf(stateKey(row), row.benchmark, row.sampleId, row.epoch)

export const isBase = ({ arm, seed, step }: SubjectKey): boolean =>
  arm === 'base' && seed === 0 && step === 0

export const isSameState =
  (a: SubjectKey) =>
  (b: SubjectKey): boolean =>
    stateKey(a) === stateKey(b)

/** Whether a state is at the last step that `states` have of its arm and seed. */
export function lastSteps(states: readonly SubjectKey[]): (state: SubjectKey) => boolean {
  const last = new Map<string, number>()
  for (const { arm, seed, step } of states) {
    const key = keyOf(arm, seed)
    last.set(key, Math.max(last.get(key) ?? 0, step))
  }
  return ({ arm, seed, step }) => last.get(keyOf(arm, seed)) === step
}

/** A benchmark in a context is stored under a name of its own. */
export const nameIn = (benchmark: string, context: string | undefined): string =>
  context === undefined ? benchmark : `${benchmark}@${context}`

/** The judge that decides the verdict. */
export const firstJudge = ({ judges }: Pick<BenchmarkRow, 'judges'>): string => judges[0] ?? ''
