/**
 * @file What the engine tells a window by itself: progress, and whether it is there. `id` counts messages of one engine process
 * (`epoch`), so that a reader that was cut off goes on where it was; a reader of another epoch asks for everything again.
 *
 * Rows by the thousand are left out: replies, verdicts and spectra have calls of their own, and cells come without curves.
 */
import { z } from 'zod'
import { JobEvent } from './events.ts'
import { JobView } from './calls/jobs.ts'

export const FeedBody = z.discriminatedUnion('type', [
  /** The beginning of a stream. `isWhole` is false where messages were missed that cannot be had again. */
  z.object({ type: z.literal('hello'), isWhole: z.boolean() }),
  /** Stored events, by run ascending in `seq`; numbers are missing where rows were left out. */
  z.object({ type: z.literal('events'), events: z.array(JobEvent) }),
  /** Every job that waits or runs, and those whose state has just changed. */
  z.object({ type: z.literal('jobs'), jobs: z.array(JobView) }),
  /** Another window, or this one, changed what all of them show. */
  z.object({ type: z.literal('changed'), what: z.enum(['settings', 'runs']) }),
  /** Said by the host: the engine's process is gone, or there is a new one. */
  z.object({ type: z.literal('engine'), state: z.enum(['lost', 'back']) }),
])
export type FeedBody = z.infer<typeof FeedBody>

export const FeedMessage = z.object({ epoch: z.string(), id: z.int().min(0), body: FeedBody })
export type FeedMessage = z.infer<typeof FeedMessage>

/** Where a reader is: `EPOCH.ID`. */
export const cursorOf = ({ epoch, id }: Pick<FeedMessage, 'epoch' | 'id'>): string =>
  `${epoch}.${id}`

export function parseCursor(text: string): { epoch: string; id: number } | undefined {
  const match = /^(?<epoch>[\w-]{1,64})\.(?<id>\d{1,12})$/u.exec(text)
  return match ? { epoch: match.groups!['epoch']!, id: Number(match.groups!['id']) } : undefined
}
