/** @file Options that several verbs share, each declared once. */
import { z } from 'zod'
import { Reason } from '../../contract/call.ts'

/** A text that is not empty. */
export const text = z.string().min(1)
export const optionalText = text.nullable().default(null)
export const reason = Reason
export const file = { short: 'o', value: 'FILE' }
export const files = { ...file, repeat: true }

export const json = z.boolean().default(false).meta({ help: 'JSON on standard output, no prose' })
export const quiet = z.boolean().default(false).meta({ help: 'No progress, only the findings' })
export const runFolder = optionalText.meta({
  help: 'The folder of the run; its newest run if none is named',
})
export const exitZero = z
  .boolean()
  .default(false)
  .meta({ help: 'The verdict or gate does not change the exit code' })
