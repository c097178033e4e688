/** @file The desktop's transport: two functions of the preload. Errors would lose their fields, so answers are values. */
import type { FeedMessage } from '../../evals/contract/feed.ts'
import { valueOf, type Answer, type Transport } from '../../evals/contract/rpc.ts'

export interface Bridge {
  call(name: string, input: unknown): Promise<unknown>
  listen(listener: (message: FeedMessage) => void, cursor?: string): () => void
}

export function bridgeTransport(bridge: Bridge): Transport {
  return {
    call: async (name, input) => valueOf((await bridge.call(name, input)) as Answer),
    listen: (listener, cursor) => bridge.listen(listener, cursor),
  }
}
