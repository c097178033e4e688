/** @file The window's client of the engine: chooses the transport and names the calls of the contract. */
import type { z } from 'zod'
import type { EngineClient } from '../evals/contract/api.ts'
import type { desktop, PICKS } from '../evals/contract/desktop.ts'
import type { Transport } from '../evals/contract/rpc.ts'
import { createAhead } from './transports/ahead.ts'
import { bridgeTransport, type Bridge } from './transports/bridge.ts'
import { httpTransport } from './transports/http.ts'

declare global {
  interface Window {
    /** Given by the desktop's preload; absent in a browser. */
    readonly touchstone?: Bridge
  }
}

export const isDesktop = window.touchstone !== undefined
export const transport: Transport = window.touchstone
  ? bridgeTransport(window.touchstone)
  : httpTransport()

/** Calls that a view makes first. */
export const ahead = createAhead(transport)

/** Calls by name. The engine checks what comes in and what goes out, so no schema is loaded into the page. */
const named = <T extends object>(valueOf: (name: string) => unknown): T =>
  new Proxy({} as T, { get: (_, name) => valueOf(String(name)) })
export const engine = named<EngineClient>((room) =>
  named(
    (method) =>
      (input: unknown = {}) =>
        ahead.call(`${room}.${method}`, input),
  ),
)

type Answered<N extends keyof typeof desktop> = z.infer<(typeof desktop)[N]['output']>

/** The desktop's file picker; undefined if the user chose nothing. */
export async function pickOnDesktop(kind: (typeof PICKS)[number]): Promise<string | undefined> {
  const answer = await transport.call('desktop.pick', { kind })
  return (answer as Answered<'pick'>)?.handle
}

/** Handles of what the desktop was opened with since this was last asked. */
export async function openedOnDesktop(): Promise<string[]> {
  const answer = await transport.call('desktop.opened', {})
  return (answer as Answered<'opened'>).map(({ handle }) => handle)
}
