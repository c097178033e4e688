/** @file The helper: a second process for the engine's heavy calls, started again by the next call after it died. */
import { createClient, valueOf, type Answer, type Ask } from '../contract/rpc.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { startChild, type Child } from './child.ts'
import type { HeavyHandlers } from './heavy.ts'

export interface FromHelper {
  readonly id: number
  readonly answer: Answer
}
interface ToHelper {
  readonly id: number
  readonly ask: Ask
}

interface Helper {
  readonly handlers: HeavyHandlers
  close(): Promise<void>
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Starts the process at once, because loading takes a second. */
export function createHelper(folder: string): Helper {
  let child: Child<ToHelper, FromHelper> | undefined
  const pending = new Map<number, Pending>()
  let last = 0
  const start = () => {
    const started = startChild<ToHelper, FromHelper>('helper-process.ts', [folder])
    started.onMessage(({ id, answer }) => {
      pending.get(id)?.resolve(answer)
      pending.delete(id)
    })
    void started.ended.then((how) => {
      if (child === started) child = undefined
      const died = { what: 'answered this', how: how ?? 'it ended' }
      for (const { reject } of pending.values()) {
        reject(new TouchstoneError('engine.process-died', died))
      }
      pending.clear()
    })
    return started
  }
  const call = async (name: string, input: unknown): Promise<unknown> => {
    child ??= start()
    const id = ++last
    const answer = new Promise<Answer>((resolve, reject) => pending.set(id, { resolve, reject }))
    child.send({ id, ask: { name, input } })
    return valueOf(await answer)
  }
  child = start()
  return {
    handlers: createClient({ call }),
    async close() {
      child?.kill()
      await child?.ended
    },
  }
}
