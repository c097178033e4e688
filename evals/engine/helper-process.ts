/** @file The helper's process: answers the heavy calls of its engine until that is gone. Its argument is the workbench's folder. */
import { serve, type Ask } from '../contract/rpc.ts'
import { heavyHandlers } from './heavy.ts'
import { openHome } from './home.ts'
import type { FromHelper } from './helper.ts'
import { wireErrorOf } from './wire-error-of.ts'

const home = openHome(process.argv[2]!)
const answer = serve(heavyHandlers(home), wireErrorOf)

process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', ({ id, ask }: { id: number; ask: Ask }) => {
  void answer(ask).then((given) => {
    if (process.connected)
      process.send!({ id, answer: given } satisfies FromHelper, () => undefined)
  })
})
