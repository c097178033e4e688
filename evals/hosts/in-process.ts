/** @file A transport to an engine in this process, for tests and scripts. Messages are copied, as on a wire. */
import { valueOf, type Transport } from '../contract/rpc.ts'
import type { Engine } from '../engine/engine.ts'

export const inProcess = (engine: Engine): Transport => ({
  call: async (name, input) =>
    valueOf(await engine.answer(JSON.parse(JSON.stringify({ name, input })))),
  listen: (listener, cursor) =>
    engine.listen((message) => listener(structuredClone(message)), cursor),
})
