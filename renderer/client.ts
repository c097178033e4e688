/** @file The window's client of the engine: chooses the transport and names the calls of the contract. */
import type { z } from 'zod'
import type { EngineClient } from '../evals/contract/api.ts'
import type { desktop, PICKS } from '../evals/contract/desktop.ts'
import type { Transport } from '../evals/contract/rpc.ts'
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

const ahead = new Map<string, Promise<unknown>>()
const callText = (name: string, input: unknown) => `${name} ${JSON.stringify(input)}`

/** Asks what a view will ask first, while its code is being fetched; the view's own call takes the answer, or its error. */
export function askAhead(calls: readonly AheadCall[]): void {
  for (const { name, input } of calls) {
    const answer = transport.call(name, input)
    ahead.set(callText(name, input), answer)
    answer.catch(() => undefined)
  }
}

export interface AheadCall {
  readonly name: string
  readonly input: unknown
}

function takeAhead(name: string, input: unknown): Promise<unknown> | undefined {
  const text = callText(name, input)
  const answer = ahead.get(text)
  ahead.delete(text)
  return answer
}

/** Calls by name. The engine checks what comes in and what goes out, so no schema is loaded into the page. */
const named = <T extends object>(valueOf: (name: string) => unknown): T =>
  new Proxy({} as T, { get: (_, name) => valueOf(String(name)) })
export const engine = named<EngineClient>((room) =>
  named(
    (method) =>
      (input: unknown = {}) =>
        takeAhead(`${room}.${method}`, input) ?? transport.call(`${room}.${method}`, input),
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
