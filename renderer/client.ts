/** @file The window's client of the engine: chooses the transport and builds the client from the contract. */
import './no-eval.ts'
import type { EngineClient } from '../evals/contract/api.ts'
import { desktop, type PICKS } from '../evals/contract/desktop.ts'
import { createClient, type Transport } from '../evals/contract/rpc.ts'
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
export const engine: EngineClient = createClient(transport)

/** The desktop's file picker; undefined if the user chose nothing. */
export async function pickOnDesktop(kind: (typeof PICKS)[number]): Promise<string | undefined> {
  const answer = await transport.call('desktop.pick', { kind })
  return desktop.pick.output.parse(answer)?.handle
}

/** Handles of what the desktop was opened with since this was last asked. */
export async function openedOnDesktop(): Promise<string[]> {
  const answer = await transport.call('desktop.opened', {})
  return desktop.opened.output.parse(answer).map(({ handle }) => handle)
}
