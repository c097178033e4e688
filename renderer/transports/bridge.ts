/** @file The wire in the desktop: the preload's two functions. An error loses its fields on the way, so answers come whole. */
import type { FeedMessage } from '../../evals/contract/feed.ts'
import { Answer, valueOf, type Transport } from '../../evals/contract/rpc.ts'

export interface Bridge {
  call(name: string, input: unknown): Promise<unknown>
  listen(listener: (message: FeedMessage) => void, cursor?: string): () => void
}

export function bridgeTransport(bridge: Bridge): Transport {
  return {
    call: async (name, input) => valueOf(Answer.parse(await bridge.call(name, input))),
    listen: (listener, cursor) => bridge.listen(listener, cursor),
  }
}
