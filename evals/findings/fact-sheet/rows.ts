/** @file Rows of results.json with their pointers, as answers cite them. */
import type { Answer } from '../../contract/signed/fact-sheet.ts'
import type { Results } from '../../contract/results.ts'

export interface Cited<R> {
  readonly row: R
  /** RFC 6901. */
  readonly pointer: string
}

type Lists = {
  [K in keyof Results]: NonNullable<Results[K]> extends readonly (infer R)[] ? R : never
}

/** The rows of a list that `isChosen`, with their places. */
export function cited<K extends keyof Results>(
  results: Results,
  key: K,
  isChosen: (row: Lists[K]) => boolean = () => true,
): Cited<Lists[K]>[] {
  const rows = (results[key] ?? []) as unknown as readonly Lists[K][]
  return rows.flatMap((row, i) => (isChosen(row) ? { row, pointer: `/${key}/${i}` } : []))
}

/** A sentence for each row; null where there is none. */
export function answerOf<R>(
  rows: readonly Cited<R>[],
  textOf: (row: R) => string,
  more: readonly string[] = [],
): Answer | null {
  if (rows.length === 0) return null
  const text = rows.map(({ row }) => textOf(row)).join('; ')
  return { text, pointers: [...rows.map(({ pointer }) => pointer), ...more] }
}
