/** @file How models behind an address are asked. It loads nothing that runs a model. */
import { z } from 'zod'
import { KeyVariable, SendingReason } from '../../contract/subjects/served.ts'

export const ServedConfig = z.object({
  keyEnv: KeyVariable.nullable().default(null).meta({
    label: 'Key variable',
    help: 'The environment variable that holds the key of a served model; the key itself is stored and printed nowhere',
    value: 'NAME',
  }),
  sendPrompts: SendingReason.nullable().default(null).meta({
    label: 'Send prompts',
    help: 'A reason to send every prompt to a served model at another machine’s address; logged',
    value: 'REASON',
  }),
  repeatBase: z.int().min(2).max(20).default(2).meta({
    label: 'Repeat base',
    help: 'How often a served base is asked the same prompts (at most 256 of each benchmark), to know how far identical runs differ',
  }),
  replyTimeout: z.number().min(0.1).max(3600).default(120).meta({
    label: 'Reply timeout',
    help: 'Longest time for one reply of a served model',
    unit: 'seconds',
  }),
})
export type ServedConfig = z.infer<typeof ServedConfig>
