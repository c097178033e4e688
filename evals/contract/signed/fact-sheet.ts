/** @file The fact sheet of a fine-tune: questions, and answers that are pointers to rows of results.json. */
import { z } from 'zod'

/** `code-of-practice`: asked by the EU's code of practice for general-purpose models of who modifies one; in our words. */
const SOURCES = ['fine-tune', 'code-of-practice'] as const

/** `pointers` are JSON pointers (RFC 6901) into results.json, at least one. */
const Answer = z.object({ text: z.string(), pointers: z.array(z.string()).min(1) })
export type Answer = z.infer<typeof Answer>

/** `answer` is null where no row answers: "not measured". */
const Question = z.object({ id: z.string(), question: z.string(), answer: Answer.nullable() })

export const FactSheet = z.object({
  run: z.string(),
  title: z.string(),
  touchstone: z.string(),
  measuredUntil: z.string(),
  parts: z.array(
    z.object({
      source: z.enum(SOURCES),
      heading: z.string(),
      questions: z.array(Question),
    }),
  ),
})
export type FactSheet = z.infer<typeof FactSheet>

export const NOT_MEASURED = 'not measured'
export const NO_ADVICE =
  'This is not legal advice. Who made it answers for it; whether an answer is enough is not said here.'
