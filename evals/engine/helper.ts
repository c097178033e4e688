/** @file A second process of the engine for what is heavy. It is started when it is needed, and again where it died. */
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

/** Begun at once: somebody will ask soon, and loading takes a second. */
export function createHelper(folder: string): Helper {
  let child: Child<ToHelper, FromHelper> | undefined
  const pending = new Map<number, Pending>()
  let last = 0
  const started = () => {
    const begun = startChild<ToHelper, FromHelper>('helper-process.ts', [folder])
    begun.onMessage(({ id, answer }) => {
      pending.get(id)?.resolve(answer)
      pending.delete(id)
    })
    void begun.ended.then((how) => {
      if (child === begun) child = undefined
      const died = { what: 'answered this', how: how ?? 'it ended' }
      for (const { reject } of pending.values()) {
        reject(new TouchstoneError('engine.process-died', died))
      }
      pending.clear()
    })
    return begun
  }
  const call = async (name: string, input: unknown): Promise<unknown> => {
    child ??= started()
    const id = ++last
    const answer = new Promise<Answer>((resolve, reject) => pending.set(id, { resolve, reject }))
    child.tell({ id, ask: { name, input } })
    return valueOf(await answer)
  }
  child = started()
  return {
    handlers: createClient({ call }),
    async close() {
      child?.kill()
      await child?.ended
    },
  }
}
