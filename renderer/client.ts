/** @file The window's only door to the engine: picks the wire, and makes the client from the contract. */
import type { EngineClient } from '../evals/contract/api.ts'
import { createClient, type Transport } from '../evals/contract/rpc.ts'
import { config } from 'zod'
import { bridgeTransport, type Bridge } from './transports/bridge.ts'
import { httpTransport } from './transports/http.ts'

// The content policy forbids code made from text, which zod would otherwise try.
config({ jitless: true })

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
