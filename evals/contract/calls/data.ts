/** @file Fine-tuning data as it is seen by a model: the rendered prompt, and which of its tokens are learnt. */
import { z } from 'zod'
import { call, Page } from '../call.ts'
import { Message } from '../rows.ts'

/** A bundled name such as `house-benign`, or a file. */
const source = z.string().min(1).max(4096)

export const DataFacts = z.object({
  title: z.string(),
  rows: z.int(),
  isTampering: z.boolean(),
  /** Rows by number of turns. */
  turns: z.array(z.object({ turns: z.int(), rows: z.int() })),
  characters: z.object({ median: z.number(), longest: z.int() }),
})
export type DataFacts = z.infer<typeof DataFacts>

export const PreviewSegment = z.object({ text: z.string(), isLearnt: z.boolean() })

export const PreviewRow = z.object({
  row: z.int(),
  messages: z.array(Message),
  /** As the model reads it, in order; joined they are the rendered text. */
  segments: z.array(PreviewSegment),
  tokens: z.int(),
  learntTokens: z.int(),
  /** Tokens beyond `maxTokens`, which training does not see. */
  cutTokens: z.int(),
})
export type PreviewRow = z.infer<typeof PreviewRow>

export const data = {
  open: call(z.object({ source }), DataFacts),
  preview: call(
    z.object({
      source,
      model: source,
      maxTokens: z.int().min(2).max(131_072).default(512),
      offset: Page.offset,
      limit: z.int().min(1).max(50).default(10),
    }),
    z.object({ total: z.int(), rows: z.array(PreviewRow) }),
  ),
}
