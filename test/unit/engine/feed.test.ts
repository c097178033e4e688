/** @file The feed: numbered, resumed by number, and honest where it cannot be. */
import { expect, test } from 'vitest'
import {
  cursorOf,
  parseCursor,
  type FeedBody,
  type FeedMessage,
} from '../../../evals/contract/feed.ts'
import { createFeed } from '../../../evals/engine/feed.ts'

const state: FeedBody = { type: 'jobs', jobs: [] }

function heard(feed: ReturnType<typeof createFeed>, cursor?: string) {
  const messages: FeedMessage[] = []
  const stop = feed.listen((message) => messages.push(message), cursor)
  return { messages, stop }
}

test('a reader that comes back is told what it missed, once, in order', () => {
  const feed = createFeed()
  const first = heard(feed)
  feed.publish(state)
  feed.publish(state)
  first.stop()
  feed.publish(state)
  feed.publish(state)
  const again = heard(feed, cursorOf(first.messages.at(-1)!))
  feed.publish(state)
  expect(first.messages.map(({ id }) => id)).toEqual([0, 1, 2])
  expect(again.messages[0]!.body).toEqual({ type: 'hello', isWhole: true })
  expect(again.messages.slice(1).map(({ id }) => id)).toEqual([3, 4, 5])
})

test('a reader of another engine, of the future, or from too long ago is told so', () => {
  const feed = createFeed()
  for (let i = 0; i < 4100; i++) feed.publish(state)
  const { epoch } = heard(feed).messages[0]!
  for (const cursor of ['other.3', `${epoch}.99999`, `${epoch}.5`, 'nonsense', '']) {
    expect(heard(feed, cursor).messages, cursor).toHaveLength(1)
    expect(heard(feed, cursor).messages[0]!.body, cursor).toEqual({ type: 'hello', isWhole: false })
  }
  expect(heard(feed, `${epoch}.4099`).messages).toHaveLength(2)
})

test('cursors are read back as they were written', () => {
  expect(parseCursor(cursorOf({ epoch: 'aB_-9', id: 12 }))).toEqual({ epoch: 'aB_-9', id: 12 })
  expect(parseCursor('a b.1')).toBeUndefined()
  expect(parseCursor(`a.${'9'.repeat(30)}`)).toBeUndefined()
})
