/** @file What one call between a window and the engine is: the schema of what is asked, and of what is answered. */
import { z } from 'zod'

export interface Call<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I
  readonly output: O
}

export const call = <I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
): Call<I, O> => ({
  input,
  output,
})

/** For calls that ask nothing: `engine.catalog.get()`. */
export const Nothing = z.object({}).default({})
/** For calls that answer nothing but that it is done. */
export const Done = z.null()

/** A path, or a name that stands for one. */
export const PathText = z.string().min(1).max(4096)

/** Why an exception is made; it is logged with the run. */
export const Reason = z.string().trim().min(8).max(500)

export const RunRef = z.object({ runId: z.string().min(1).max(200) })

/** A page of a long list: rows are never sent whole. */
export const Page = {
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(500).default(100),
}
