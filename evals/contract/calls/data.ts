/** @file Fine-tuning data as a model reads it: rendered rows, labelled tokens, and findings. */
import { z } from 'zod'
import { call, Page, PathText } from '../call.ts'
import { Message } from '../rows.ts'

/** A bundled name such as `house-benign`, a file, or a sample of its rows as `FILE#20000`. */
const source = PathText

/** If `format` is null, the columns decide; `map` is `prompt=COLUMN,reply=COLUMN` or `text=COLUMN`. */
const DataChoice = z.object({
  source,
  format: z.string().min(1).max(60).nullable().default(null),
  map: z.string().min(1).max(500).nullable().default(null),
})

export const DataColumns = z.object({
  columns: z.array(z.string()),
  /** The format recognised by the columns. */
  format: z.string().nullable(),
  formats: z.array(z.object({ name: z.string(), title: z.string() })),
})
export type DataColumns = z.infer<typeof DataColumns>

const DataFacts = z.object({
  title: z.string(),
  /** Null if the rows are not from one file. */
  format: z.string().nullable(),
  rows: z.int(),
  isTampering: z.boolean(),
  /** Number of rows by number of turns. */
  turns: z.array(z.object({ turns: z.int(), rows: z.int() })),
  characters: z.object({ median: z.number(), longest: z.int() }),
})
type DataFacts = z.infer<typeof DataFacts>

const DataFinding = z.object({
  name: z.string(),
  title: z.string(),
  advice: z.string(),
  count: z.int(),
  /** Share of all rows. */
  share: z.number(),
  /** Numbers of the first rows, from 1. */
  rows: z.array(z.int()),
})

export const DataLint = z.object({
  total: z.int(),
  usable: z.int(),
  /** The first rows that cannot be used. */
  unusable: z.array(z.object({ row: z.int(), why: z.string() })),
  /** What is left out of used rows. */
  notes: z.array(z.object({ what: z.string(), count: z.int() })),
  findings: z.array(DataFinding),
})
export type DataLint = z.infer<typeof DataLint>

const PreviewSegment = z.object({ text: z.string(), isLearnt: z.boolean() })

/** A turn, or a row of raw text. */
const DataTurn = z.object({
  role: z.enum([...Message.shape.role.options, 'text']),
  content: z.string(),
})

export const PreviewRow = z.object({
  row: z.int(),
  messages: z.array(DataTurn),
  /** Pieces in order; joined they are the rendered text. */
  segments: z.array(PreviewSegment),
  tokens: z.int(),
  learntTokens: z.int(),
  /** Tokens of a row that is too long which training leaves out. */
  cutTokens: z.int(),
})
export type PreviewRow = z.infer<typeof PreviewRow>

/** Suites or files whose prompts the data should not contain. */
const against = z.array(PathText).max(50).default(['house', 'general'])

export const data = {
  /** Of a file, whatever it is about. */
  columns: call(z.object({ source }), DataColumns),
  open: call(DataChoice, DataFacts),
  lint: call(DataChoice.extend({ against }), DataLint),
  preview: call(
    DataChoice.extend({
      model: source,
      maxTokens: z.int().min(2).max(131_072).default(512),
      offset: Page.offset,
      limit: z.int().min(1).max(50).default(10),
    }),
    z.object({ total: z.int(), rows: z.array(PreviewRow) }),
  ),
  /** Writes the usable rows without those of the findings in `drop`. */
  write: call(
    DataChoice.extend({ against, drop: z.array(z.string().max(60)).max(50).default([]) }),
    z.object({ path: z.string(), rows: z.int(), dropped: z.int() }),
  ),
}
