/** @file An error as it travels in events and files. */
import { z } from 'zod'

export const WireError = z.object({ code: z.string(), message: z.string(), remedy: z.string() })
export type WireError = z.infer<typeof WireError>

/** One that came over a border, thrown again: shown as `message`, then `remedy`. */
export class CarriedError extends Error {
  readonly code: string
  readonly remedy: string

  constructor({ code, message, remedy }: WireError) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}
