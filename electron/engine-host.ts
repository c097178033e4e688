/** @file Keeps the engine's process: starts it, relays what is asked and told, and starts it again where it died. */
import type { UtilityProcess } from 'electron'
import { z } from 'zod'
import { FeedMessage, type FeedBody } from '../evals/contract/feed.ts'
import { Answer, type Ask } from '../evals/contract/rpc.ts'

const FromEngine = z.union([
  z.object({ id: z.int(), answer: Answer }),
  z.object({ feed: FeedMessage }),
])

interface EngineHost {
  ask(ask: Ask): Promise<Answer>
  close(): void
}

type Process = Pick<UtilityProcess, 'postMessage' | 'on' | 'kill'>

const LOST: Answer = {
  ok: false,
  error: {
    code: 'engine.process-died',
    message: 'The engine’s process is gone, and is being started again.',
    remedy: 'Try again; a job that was running can be resumed. Nothing that was stored is lost.',
  },
}
/** An engine that dies at once is not started in a circle. */
const PAUSE_MS = 500

export function createEngineHost(
  fork: () => Process,
  tell: (message: FeedMessage) => void,
  wait: (action: () => void, ms: number) => void = setTimeout,
): EngineHost {
  const pending = new Map<number, (answer: Answer) => void>()
  let [last, isClosed] = [0, false]
  let engine: Process | undefined

  const say = (body: FeedBody) => tell({ epoch: 'host', id: 0, body })
  function start(): void {
    const begun = fork()
    engine = begun
    begun.on('message', (message: unknown) => {
      const parsed = FromEngine.safeParse(message)
      if (!parsed.success) return
      if ('feed' in parsed.data) return tell(parsed.data.feed)
      pending.get(parsed.data.id)?.(parsed.data.answer)
      pending.delete(parsed.data.id)
    })
    begun.on('exit', () => {
      engine = undefined
      for (const answer of pending.values()) answer(LOST)
      pending.clear()
      if (isClosed) return
      say({ type: 'engine', state: 'lost' })
      wait(() => {
        if (isClosed) return
        start()
        say({ type: 'engine', state: 'back' })
      }, PAUSE_MS)
    })
  }
  start()

  return {
    ask(ask) {
      const running = engine
      if (!running) return Promise.resolve(LOST)
      const id = ++last
      return new Promise((resolve) => {
        pending.set(id, resolve)
        running.postMessage({ id, ask })
      })
    },
    close() {
      isClosed = true
      engine?.kill()
    },
  }
}
