/** @file The engine as Electron's utility process. Its argument is the workbench's folder. */
import { z } from 'zod'
import { openEngine } from '../engine/engine.ts'

/** What Electron adds to `process` here; its types belong to the shell. */
interface ParentPort {
  on(name: 'message', listener: (event: { data: unknown }) => void): void
  postMessage(message: unknown): void
}

const { parentPort } = process as unknown as { parentPort: ParentPort }
const Asked = z.object({ id: z.int(), ask: z.unknown() })

const engine = openEngine(process.argv[2]!)
engine.listen((feed) => parentPort.postMessage({ feed }))
parentPort.on('message', ({ data }) => {
  const asked = Asked.safeParse(data)
  if (!asked.success) return
  const { id, ask } = asked.data
  void engine.answer(ask).then((answer) => parentPort.postMessage({ id, answer }))
})
