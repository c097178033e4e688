/** @file The engine's messages for listeners, and whether the engine is connected. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { cursorOf, type FeedBody, type FeedMessage } from '../../evals/contract/feed.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import type { JobView } from '../../evals/contract/calls/jobs.ts'
import { transport } from '../client.ts'

type Changed = Extract<FeedBody, { type: 'changed' }>['what']

interface Listeners {
  readonly events?: (events: readonly JobEvent[]) => void
  readonly jobs?: (jobs: readonly JobView[]) => void
  /** By any window of this engine. */
  readonly changed?: (what: Changed) => void
  /** Messages were missed and will not be repeated: reload everything. */
  readonly gap?: () => void
}

export const useFeedStore = defineStore('feed', () => {
  const isLost = ref(false)
  /** Whether it has said anything. */
  const hasBegun = ref(false)
  const listeners = new Set<Listeners>()
  let cursor: string | undefined

  function hear(message: FeedMessage): void {
    const { body } = message
    const isFirst = !hasBegun.value
    hasBegun.value = true
    if (body.type !== 'engine') cursor = cursorOf(message)
    switch (body.type) {
      case 'hello':
        isLost.value = false
        // At its beginning nothing was missed: stores are loaded after it.
        if (!body.isWhole && !isFirst) listeners.forEach(({ gap }) => gap?.())
        return
      case 'events':
        return listeners.forEach(({ events }) => events?.(body.events))
      case 'jobs':
        return listeners.forEach(({ jobs }) => jobs?.(body.jobs))
      case 'changed':
        return listeners.forEach(({ changed }) => changed?.(body.what))
      case 'engine':
        isLost.value = body.state === 'lost'
        if (body.state === 'back') listeners.forEach(({ gap }) => gap?.())
    }
  }

  /** Returns the function that ends it. */
  function on(own: Listeners): () => void {
    listeners.add(own)
    return () => listeners.delete(own)
  }
  const start = () => transport.listen(hear, cursor)
  return { isLost, hasBegun, on, start }
})
