/** @file What the engine says by itself, handed to whoever listens, and whether the engine is there. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { cursorOf, type FeedMessage } from '../../evals/contract/feed.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import type { JobView } from '../../evals/contract/calls/jobs.ts'
import { transport } from '../client.ts'

interface Listeners {
  readonly events?: (events: readonly JobEvent[]) => void
  readonly jobs?: (jobs: readonly JobView[]) => void
  /** Something was missed that will not come again: ask for everything. */
  readonly gap?: () => void
}

export const useFeedStore = defineStore('feed', () => {
  const isLost = ref(false)
  const listeners = new Set<Listeners>()
  let cursor: string | undefined

  function hear(message: FeedMessage): void {
    const { body } = message
    if (body.type !== 'engine') cursor = cursorOf(message)
    switch (body.type) {
      case 'hello':
        isLost.value = false
        if (!body.isWhole) listeners.forEach(({ gap }) => gap?.())
        return
      case 'events':
        return listeners.forEach(({ events }) => events?.(body.events))
      case 'jobs':
        return listeners.forEach(({ jobs }) => jobs?.(body.jobs))
      case 'engine':
        isLost.value = body.state === 'lost'
        if (body.state === 'back') listeners.forEach(({ gap }) => gap?.())
    }
  }

  /** Returns what ends it. */
  function on(own: Listeners): () => void {
    listeners.add(own)
    return () => listeners.delete(own)
  }
  const start = () => transport.listen(hear, cursor)
  return { isLost, on, start }
})
