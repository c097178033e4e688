/** @file An error as it travels in events and files. */
import { z } from 'zod'

export const WireError = z.object({ code: z.string(), message: z.string(), remedy: z.string() })
export type WireError = z.infer<typeof WireError>
