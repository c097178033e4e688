/**
 * @file The helper's process: answers the engine's heavy calls and exits with the engine, or when a call does not come back.
 * Arguments: the workbench's folder; patience with a call, in milliseconds of processor time.
 */
import { serve, type Ask } from '../contract/rpc.ts'
import { toWireError } from '../errors/wire.ts'
import { heavyHandlers } from './heavy.ts'
import { openHome } from './home.ts'
import type { FromHelper } from './helper.ts'
import { watchOver } from './watchdog.ts'

const home = openHome(process.argv[2]!)
watchOver(process.argv[3] === undefined ? undefined : Number(process.argv[3]))
const answer = serve(heavyHandlers(home), toWireError)

process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', ({ id, ask }: { id: number; ask: Ask }) => {
  void answer(ask).then((given) => {
    if (process.connected)
      process.send!({ id, answer: given } satisfies FromHelper, () => undefined)
  })
})
