/** @file Errors about fine-tuning data. */
import { entry } from './entry.ts'

export const DATA_ERRORS = {
  'data.unreadable': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} cannot be read as data: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Give a JSONL, JSON, CSV, Parquet or text file in UTF-8, its name ending accordingly.',
  })),
  'data.too-large': entry((v: { path: string; bytes: number; most: number }) => ({
    message: `${v.path} has ${v.bytes} bytes; data is learnt from whole up to ${v.most}.`,
    remedy: `Take a sample of its rows, ${v.path}#20000 say, or write one: touchstone data ${v.path}#20000 -o rows.jsonl.`,
  })),
  'data.empty': entry((v: { path: string }) => ({
    message: `${v.path} holds no rows that can be trained on.`,
    remedy:
      'Give a file with at least one row that ends in an assistant reply, or one of raw text.',
  })),
  'data.columns': entry(
    (v: { path: string; columns: readonly string[]; formats: readonly string[] }) => ({
      message: `${v.path} is no known form of fine-tuning data; its columns are ${v.columns.slice(0, 20).join(', ')}.`,
      remedy: `Known are ${v.formats.join('; ')}. For other columns say which they are: --map prompt=COLUMN,reply=COLUMN, or --map text=COLUMN.`,
    }),
  ),
  'data.row': entry((v: { path: string; row: number; why: string }) => ({
    message: `${v.path}, row ${v.row}: ${v.why}.`,
    remedy:
      'Mend or remove that row and run this again, or write a copy without such rows by `touchstone data FILE -o clean.jsonl`.',
  })),

  'data.row-too-long': entry((v: { row: number; tokens: number; limit: number }) => ({
    message: `Row ${v.row} of the data has ${v.tokens} tokens, above ${v.limit}.`,
    remedy: 'Raise --max-tokens, or let --truncation cut such rows, split them or leave them out.',
  })),
} as const
