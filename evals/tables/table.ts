/** @file What every reader makes of a file: named columns and rows, with what identifies the file. */

export type Row = Readonly<Record<string, unknown>>

export interface Table {
  readonly format: 'csv' | 'json' | 'jsonl' | 'parquet'
  /** In the file's order; of JSON rows, in the order in which they first appear. */
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
  /** Sequences of bytes that were no UTF-8 and are now U+FFFD. */
  readonly replaced: number
}

/** The columns of a JSON object of prompts by category: RefusalBench has no other names. */
export const BY_CATEGORY = ['(category)', '(prompts)'] as const

/** Every key of the rows, in the order in which they first appear. */
export function columnsOf(rows: readonly Row[]): string[] {
  const names = new Set<string>()
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  return [...names]
}
