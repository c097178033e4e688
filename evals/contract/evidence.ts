/** @file What is kept beside runs: which benchmark files were seen, and what people said of replies. No text of prompts or replies. */
import { z } from 'zod'
import { Outcome, ReplyKey, VerdictRow } from './rows.ts'

export const BenchmarkFile = z.object({
  name: z.string(),
  /** Of its samples; see BenchmarkRow. */
  digest: z.string(),
  path: z.string(),
  /** sha256 of the file. */
  fileDigest: z.string(),
  rows: z.int(),
  samples: z.int(),
  licences: z.array(z.string()),
  /** 16 hexadecimal digits a prompt: overlap can be counted from them, no prompt can be read. */
  promptHashes: z.array(z.string()),
  /** Milliseconds since 1970. */
  importedAt: z.int(),
})
export type BenchmarkFile = z.infer<typeof BenchmarkFile>

/**
 * How a reply came to be labelled: drawn at random within what the judge says of it, so that it stands for others, or chosen
 * because judges differ on it, so that it stands for itself alone.
 */
const LabelDraw = z.enum(['random', 'chosen'])

/** Which reply an opaque name in a labelling file stands for. */
export const LabelItem = ReplyKey.extend({
  item: z.string().min(1),
  /** Null where an earlier version drew it, in a way that it did not say. */
  draw: LabelDraw.nullable().default(null),
  /** The judge within whose verdicts, before and after, it was drawn at random; null where it was not, also before it was chosen. */
  drawnBy: z.string().nullable().default(null),
})
export type LabelItem = z.infer<typeof LabelItem>

/** What a person says of a reply; the last word of a rater counts. */
export const Label = z.object({
  item: z.string().min(1),
  rater: z.string().min(1),
  outcome: Outcome,
  /** Milliseconds since 1970. */
  labelledAt: z.int(),
  /** Said on another look, by one who knew that raters differ: it counts as what the reply is, and not as agreement. */
  isSettling: z.boolean(),
})
export type Label = z.infer<typeof Label>

/** What a judge said of a reply with this digest. */
export const JudgedReply = VerdictRow.pick({
  outcome: true,
  score: true,
  reason: true,
  thoughtOutcome: true,
}).required()
export type JudgedReply = z.infer<typeof JudgedReply>
export type JudgeVersion = Pick<VerdictRow, 'judge' | 'judgeVersion'>
