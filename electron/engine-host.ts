/** @file Starts the engine's process, relays calls, answers and the feed, and starts it again after it died. */
import type { UtilityProcess } from 'electron'
import { z } from 'zod'
import { FeedMessage, type FeedBody } from '../evals/contract/feed.ts'
import { Answer, pendingCalls, type Ask } from '../evals/contract/rpc.ts'

const FromEngine = z.union([
  z.object({ id: z.int(), answer: Answer }),
  z.object({ feed: FeedMessage }),
])

export interface EngineHost {
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
/** Milliseconds before a restart, so that an engine that dies at once does not loop. */
const PAUSE_MS = 500

export function createEngineHost(
  fork: () => Process,
  tell: (message: FeedMessage) => void,
  wait: (action: () => void, ms: number) => void = setTimeout,
): EngineHost {
  const pending = pendingCalls()
  let isClosed = false
  let engine: Process | undefined
  const say = (body: FeedBody) => tell({ epoch: 'host', id: 0, body })
  const restart = () => {
    if (isClosed) return
    start()
    say({ type: 'engine', state: 'back' })
  }
  function start(): void {
    engine = fork()
    engine.on('message', (message: unknown) => {
      const parsed = FromEngine.safeParse(message)
      if (!parsed.success) return
      if ('feed' in parsed.data) tell(parsed.data.feed)
      else pending.settle(parsed.data.id, parsed.data.answer)
    })
    engine.on('exit', () => {
      engine = undefined
      pending.settleAll(LOST)
      if (isClosed) return
      say({ type: 'engine', state: 'lost' })
      wait(restart, PAUSE_MS)
    })
  }
  start()
  return {
    ask: (ask) =>
      engine ? pending.post((id) => engine!.postMessage({ id, ask })) : Promise.resolve(LOST),
    close() {
      isClosed = true
      engine?.kill()
    },
  }
}
