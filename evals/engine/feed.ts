/** @file Numbered messages to every window; the last ones are kept for windows that reconnect. */
import { randomBytes } from 'node:crypto'
import { EVENT_TYPES, type EventType, type JobEvent } from '../contract/events.ts'
import { parseCursor, type FeedBody, type FeedMessage } from '../contract/feed.ts'

export interface Feed {
  publish(body: FeedBody): void
  /** Calls `listener` with a `hello`, the kept messages after `cursor`, and then every new one. Returns how to stop. */
  readonly listen: (listener: (message: FeedMessage) => void, cursor?: string) => () => void
}

/** Messages kept: some minutes of a busy job. */
const KEPT = 4000

export function createFeed(): Feed {
  const epoch = randomBytes(9).toString('base64url')
  const kept: FeedMessage[] = []
  const listeners = new Set<(message: FeedMessage) => void>()
  let last = 0
  return {
    publish(body) {
      const message = { epoch, id: ++last, body }
      kept.push(message)
      if (kept.length > KEPT) kept.shift()
      for (const listener of listeners) listener(message)
    },
    listen(listener, cursor) {
      const place = cursor === undefined ? undefined : parseCursor(cursor)
      const oldest = kept[0]?.id ?? last + 1
      const isWhole = place?.epoch === epoch && place.id <= last && place.id >= oldest - 1
      const from = isWhole ? place.id : last
      listener({ epoch, id: from, body: { type: 'hello', isWhole } })
      for (const message of kept) if (message.id > from) listener(message)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

/** Rows by the thousand: a window reads them a page at a time. */
const BULKY: ReadonlySet<EventType> = new Set(['reply', 'verdict', 'spectrum'])

/** Events that the feed carries. */
export const FEED_TYPES: readonly EventType[] = EVENT_TYPES.filter((type) => !BULKY.has(type))

/** A cell without its curves. */
export const lean = (event: JobEvent): JobEvent =>
  event.type === 'cell' ? { ...event, row: { ...event.row, curves: [] } } : event
