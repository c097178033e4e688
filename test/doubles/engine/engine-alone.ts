/** @file An engine in a process of its own that starts a job, says its id, and is killed with -9 once the job has measured something. */
import { createClient } from '../../../evals/contract/rpc.ts'
import { openEngine } from '../../../evals/engine/engine.ts'
import { inProcess } from '../../../evals/hosts/in-process.ts'
import { smallTrain } from './open-workbench.ts'

const engine = openEngine(process.argv[2]!)
const transport = inProcess(engine)
const { runId } = await createClient(transport).job.start(smallTrain(4000))
transport.listen(({ body }) => {
  if (body.type !== 'events' || !body.events.some(({ type }) => type === 'metric')) return
  process.stdout.write(`${runId}\n`, () => process.kill(process.pid, 'SIGKILL'))
})
