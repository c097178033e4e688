/** @file The engine in Electron's utility process. Argument: the workbench's folder. */
import { z } from 'zod'
import { openEngine } from '../engine/engine.ts'

/** Electron adds it to `process` here; Electron's own types belong to the shell. */
interface ParentPort {
  on(name: 'message', listener: (event: { data: unknown }) => void): void
  postMessage(message: unknown): void
}

const { parentPort } = process as unknown as { parentPort: ParentPort }
const Call = z.object({ id: z.int(), ask: z.unknown() })

const engine = openEngine(process.argv[2]!)
engine.listen((feed) => parentPort.postMessage({ feed }))
parentPort.on('message', ({ data }) => {
  const call = Call.safeParse(data)
  if (!call.success) return
  const { id, ask } = call.data
  void engine.answer(ask).then((answer) => parentPort.postMessage({ id, answer }))
})
