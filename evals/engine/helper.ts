/** @file The helper: a second process for the engine's heavy calls, started again by the next call after it died or hung. */
import { createClient, pendingCalls, valueOf, type Answer, type Ask } from '../contract/rpc.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { toWireError } from '../errors/wire.ts'
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

/**
 * Starts the process at once, because loading takes a second.
 *
 * @param patienceMs with a call that does not come back, in processor time; watchdog.ts says how long if absent
 */
export function createHelper(folder: string, patienceMs?: number): Helper {
  let child: Child<ToHelper, FromHelper> | undefined
  const pending = pendingCalls()
  const words = [folder, ...(patienceMs === undefined ? [] : [String(patienceMs)])]
  const start = () => {
    const started = startChild<ToHelper, FromHelper>('helper-process', words)
    started.onMessage(({ id, answer }) => pending.settle(id, answer))
    void started.ended.then((how) => {
      if (child === started) child = undefined
      const died = { what: 'answered this', how: how ?? 'it ended' }
      const error = toWireError(new TouchstoneError('engine.process-died', died))
      pending.settleAll({ ok: false, error })
    })
    return started
  }
  const call = async (name: string, input: unknown): Promise<unknown> => {
    const running = (child ??= start())
    return valueOf(await pending.post((id) => running.send({ id, ask: { name, input } })))
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
