/** @file Calls across a border: a client made from the contract, and a server that checks what comes in and what goes out. */
import { z } from 'zod'
import { api, findCall, type EngineClient, type EngineHandlers } from './api.ts'
import type { FeedMessage } from './feed.ts'
import { CarriedError, WireError } from './wire-error.ts'

/** The wire. It knows no call by name. */
export interface Transport {
  /** Resolves with the answer's value; rejects with an `EngineError`. */
  call(name: string, input: unknown): Promise<unknown>
  /** Messages in order, beginning after `cursor` where one is given. Returns what ends it. */
  listen(listener: (message: FeedMessage) => void, cursor?: string): () => void
}

export const Ask = z.object({ name: z.string().max(100), input: z.unknown() })
export type Ask = z.infer<typeof Ask>

export const Answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: WireError }),
])
export type Answer = z.infer<typeof Answer>

/** What the engine refused or could not do. */
export class EngineError extends CarriedError {
  override readonly name = 'EngineError'
}

/** For a transport: the value of an answer, or its error thrown. */
export function valueOf(answer: Answer): unknown {
  if (answer.ok) return answer.value
  throw new EngineError(answer.error)
}

/** Calls sent to another process that it has not answered yet. */
export function pendingCalls() {
  const waiting = new Map<number, (answer: Answer) => void>()
  let last = 0
  return {
    post: (send: (id: number) => void): Promise<Answer> =>
      new Promise((resolve) => {
        waiting.set(++last, resolve)
        send(last)
      }),
    settle(id: number, answer: Answer): void {
      waiting.get(id)?.(answer)
      waiting.delete(id)
    },
    /** Where the process has died. */
    settleAll(answer: Answer): void {
      for (const resolve of waiting.values()) resolve(answer)
      waiting.clear()
    },
  }
}

export function createClient({ call }: Pick<Transport, 'call'>): EngineClient {
  const rooms = Object.entries(api).map(([room, calls]) => [
    room,
    Object.fromEntries(
      Object.keys(calls).map((method) => [
        method,
        (input: unknown = {}) => call(`${room}.${method}`, input),
      ]),
    ),
  ])
  return Object.fromEntries(rooms) as EngineClient
}

/**
 * Answers one message, and never rejects. What comes in is parsed before a handler sees it; what goes out is parsed too, so that
 * nothing crosses which the contract does not name. `toError` converts what a handler threw; an `EngineError` of another process stays.
 */
export function serve(
  handlers: SomeHandlers,
  toError: (error: unknown) => WireError,
): (message: unknown) => Promise<Answer> {
  return async (message) => {
    const ask = Ask.safeParse(message)
    if (!ask.success) return refused('usage.message', 'The message is not a call.')
    const { name, input } = ask.data
    const found = findCall(name)
    const handler = found && handlerOf(handlers, name)
    if (!handler) return refused('usage.message', `There is no call "${name.slice(0, 60)}".`)
    const parsed = found.input.safeParse(input)
    if (!parsed.success) {
      return refused('usage.message', `${name}: ${z.prettifyError(parsed.error).slice(0, 500)}`)
    }
    try {
      const value = await handler(parsed.data)
      return { ok: true, value: found.output.parse(value) }
    } catch (error) {
      if (!(error instanceof EngineError)) return { ok: false, error: toError(error) }
      const { code, message: text, remedy } = error
      return { ok: false, error: { code, message: text, remedy } }
    }
  }
}

/** A process may answer a part of the calls. */
type SomeHandlers = { readonly [R in keyof EngineHandlers]?: Partial<EngineHandlers[R]> }

const refused = (code: string, message: string): Answer => ({
  ok: false,
  error: { code, message, remedy: 'Load the window again; if that does not help, report it.' },
})

type Handler = (input: unknown) => unknown

function handlerOf(handlers: SomeHandlers, name: string): Handler | undefined {
  const [room, method] = name.split('.') as [keyof EngineHandlers, string]
  return (handlers[room] as Readonly<Record<string, Handler>> | undefined)?.[method]
}
